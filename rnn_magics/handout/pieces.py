"""The pieces of a script: each is plain source, and a script has only those that it needs.

Names that a piece uses are defined elsewhere in the script; constants of the run are in capitals. A
few other words in capitals are marks: `rnn_magics.handout.parts` replaces each of them by a name,
by a smaller piece, or by nothing.
"""

from __future__ import annotations

CELL = """\
# DOCSTRING
class CELL(nn.Module):
    def __init__(self, input_size):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(input_size, GATES).t())
WEIGHT_HH
        self.bias_ih = nn.Parameter(torch.empty(GATES))
BIAS_HH

    def forward(self, inputs, STATE):
PRODUCTS
        outputs = []
        for x in products:
STEP
            outputs.append(hidden)
        return torch.stack(outputs), LAST
"""
WEIGHT_HH = "        self.weight_hh = nn.Parameter(torch.empty(GATES, NUM_HIDDENS))"
BIAS_HH = "        self.bias_hh = nn.Parameter(torch.empty(GATES))"
LOOKED_UP = """\
        # Looking up a column of W_ih equals multiplying W_ih by a one-hot vector.
        products = F.embedding(inputs, self.weight_ih.t()) + self.bias_ih"""
MULTIPLIED = "        products = F.linear(inputs, self.weight_ih, self.bias_ih)"
EITHER = """\
        if inputs.is_floating_point():
            products = F.linear(inputs, self.weight_ih, self.bias_ih)
        else:  # looking up a column of W_ih equals multiplying W_ih by a one-hot vector
            products = F.embedding(inputs, self.weight_ih.t()) + self.bias_ih"""

RNN_STEP = """\
            hidden = torch.tanh(x + F.linear(hidden, self.weight_hh, self.bias_hh))"""
GRU_STEP = """\
            x_r, x_z, x_n = x.chunk(3, -1)  # (batch, NUM_HIDDENS) each
            h_r, h_z, h_n = F.linear(hidden, self.weight_hh, self.bias_hh).chunk(3, -1)
            reset, update = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
            candidate = torch.tanh(x_n + reset * h_n)
            hidden = (1 - update) * candidate + update * hidden"""
LSTM_STEP = """\
            gates = x + F.linear(hidden, self.weight_hh, self.bias_hh)
            i, f, g, o = gates.chunk(4, dim=-1)  # (batch, NUM_HIDDENS) each
            memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(memory)"""
MINGRU_STEP = """\
            x_z, x_n = x.chunk(2, -1)  # (batch, NUM_HIDDENS) each
            update = torch.sigmoid(x_z)
            candidate = torch.where(x_n >= 0, x_n + 0.5, torch.sigmoid(x_n))
            hidden = (1 - update) * hidden + update * candidate"""
MINLSTM_STEP = """\
            x_f, x_i, x_n = x.chunk(3, -1)  # (batch, NUM_HIDDENS) each
            ratio = F.logsigmoid(x_i) - F.logsigmoid(x_f)  # both gates add up to 1
            candidate = torch.where(x_n >= 0, x_n + 0.5, torch.sigmoid(x_n))
            hidden = torch.sigmoid(-ratio) * hidden + torch.sigmoid(ratio) * candidate"""

MODEL = """\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
EMBEDDING
LAYERS
        self.output = nn.Linear(NUM_HIDDENS, len(vocab))
        for parameter in [*self.RECURRENT.parameters(), *self.output.parameters()]:
            nn.init.uniform_(parameter, -BOUND, BOUND, generator)
STORED
EMBEDDING_WEIGHTS
TIE
DROPOUT_METHOD

    def forward(self, tokens, state=None):  # to logits (num_steps, batch, vocabulary)
        if state is None:
            state = torch.zeros(SHAPE)
FORWARD
"""
EMBEDDING = "        self.embedding = nn.Embedding(len(vocab), EMBEDDING_SIZE)"
EMBEDDING_WEIGHTS = "        nn.init.uniform_(self.embedding.weight, -0.1, 0.1, generator)"
TIE = "        self.output.weight = self.embedding.weight"
ONE_LAYER = "        self.layer = CELL(INPUT_SIZE)"
LAYERS = """\
        sizes = [INPUT_SIZE] + [NUM_HIDDENS] * (NUM_LAYERS - 1)
        self.layers = nn.ModuleList(CELL(size) for size in sizes)"""
STORED = """\
        for layer in self.layers[1:]:  # these look nothing up: no transposed storage
            layer.weight_ih.data = layer.weight_ih.data.contiguous()"""
DROPOUT = """
    def dropout(self, x):
        if not self.training:
            return x
        numbers = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
        numbers.random_(-(2**63), None, generator=dropout_generator)
        places = numbers.view(torch.int16)[: x.numel()].view(x.shape)  # 16 bits each
        return x * (places < KEPT - 2**15).to(x.dtype).mul_(2**16 / KEPT)"""
FORWARD_ONE = """\
        outputs, state = self.layer(INPUTS, UNPACKED)
        return self.output(OUTPUTS), state"""
# The states lie in memory as those of `RecurrentStack` do, first h of every layer, then c: how a
# matrix product is rounded may depend on the address at which its input begins.
FORWARD_MANY = """\
        inputs, state = INPUTS, list(state.unbind(-3))
        for i, layer in enumerate(self.layers):
            outputs, state[i] = layer(inputs, EACH)
            inputs = OUTPUTS
        return self.output(inputs), torch.stack(state, dim=-3)"""

EVALUATE_ROWS = '''\
@torch.no_grad()
def evaluate(ids):
    """Return the perplexity of a text: exp of the mean over all tokens but the first."""
    model.eval()
    last, total = len(ids) - 1, 0.0
    length = -(-last // min(64, last // 1024))
    # Rows are read in parallel; each but the first is warmed up on the tokens before it.
    starts = torch.arange(0, last, length)[:, None]
    _, state = model(ids[starts[1:] - 256 + torch.arange(256)])
    state = torch.cat((torch.zeros_like(state[..., :1, :]), state), dim=-2)
    for begin in range(0, length, 128):
        places = starts + torch.arange(begin, min(begin + 128, length))
        logits, state = model(ids[places.clamp(max=last)], state)
        logits = logits.transpose(0, 1).flatten(0, 1)
        Y = ids[(places + 1).clamp(max=last)].masked_fill(places >= last, -100)
        losses = F.cross_entropy(logits, Y.flatten(), reduction="none")
        total += losses.sum(dtype=torch.float64).item()
    return math.exp(total / last)
'''
EVALUATE = '''\
@torch.no_grad()
def evaluate(ids):
    """Return the perplexity of a text: exp of the mean over all tokens but the first."""
    model.eval()
    state, total = None, 0.0
    for begin in range(0, len(ids) - 1, 128):
        window = ids[begin : begin + 129]
        logits, state = model(window[None, :-1], state)
        losses = F.cross_entropy(logits[:, 0], window[1:], reduction="none")
        total += losses.sum(dtype=torch.float64).item()
    return math.exp(total / (len(ids) - 1))
'''

LOOP = """\
model = Model()
optimizer = torch.optim.OPTIMIZER(model.parameters(), OPTIONS)
for epoch in range(EPOCHS):
    model.train()
    offset = int(torch.randint(LARGEST, (), generator=generator))
STARTS
    state, total = None, 0.0
    for ROWS:
        windows = train_ids[rows[:, None] + torch.arange(NUM_STEPS + 1)]
        logits, LEFT = model(windows[:, :-1], state)
        loss = F.cross_entropy(logits.flatten(0, 1), windows[:, 1:].t().flatten())
        optimizer.zero_grad()
        loss.backward()
CLIPPED
RATE
        optimizer.step()
DETACHED
        total += loss.item()
    perplexity = math.exp(total / len(starts))
REPORT
"""
SEQUENTIAL = """\
    # BATCH_SIZE long rows, read in parallel: row i of a minibatch continues in the next one.
    length = (len(train_ids) - offset - 1) // BATCH_SIZE
    steps = torch.arange(length // NUM_STEPS) * NUM_STEPS
    starts = offset + steps[:, None] + torch.arange(BATCH_SIZE) * length"""
RANDOM = """\
    # Windows that do not overlap, in random order.
    num_windows = (len(train_ids) - offset - 1) // NUM_STEPS
    order = torch.randperm(num_windows, generator=generator)
    order = order[: num_windows // BATCH_SIZE * BATCH_SIZE].view(-1, BATCH_SIZE)
    starts = offset + order * NUM_STEPS"""
CLIPPED = """\
        norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
        for p in model.parameters():
            p.grad *= torch.clamp(CLIP / norm, max=1.0)  # g <- min(1, CLIP / ||g||) g"""
RATE = """\
        progress = (epoch + (step + 0.5) / len(starts)) / EPOCHS
SHARE
        optimizer.param_groups[0]["lr"] = LR * share"""
LINEAR_WARM = "        share = min(progress / WARMUP, (1 - progress) / (1 - WARMUP))"
LINEAR = "        share = 1 - progress"
COSINE_WARM = """\
        falling = max(0, progress - WARMUP) / (1 - WARMUP)
        share = min(1, progress / WARMUP) * 0.5 * (1 + math.cos(math.pi * falling))"""
COSINE = "        share = 0.5 * (1 + math.cos(math.pi * progress))"
DETACHED = "        state = state.detach()  # carried over, but no gradient flows into the past"
REPORT = '    print(f"epoch {epoch + 1}: perplexity {perplexity:.4f}")'
REPORT_HELD_OUT = """\
    held_out = evaluate(valid_ids)
    print(f"epoch {epoch + 1}: perplexity {perplexity:.4f}, held-out {held_out:.4f}")"""

WRITE = """\
text, inputs, state = tokens[:10], train_ids[None, :10], None
for _ in range(100):
    logits, state = model(inputs, state)
    probabilities = torch.softmax(logits[-1, 0] / 0.8, dim=-1)
    inputs = torch.multinomial(probabilities, 1, generator=generator)[None]
    text.append(vocab[inputs.item()])
print(JOINED)
"""
