"""What only training computes, compiled: the loss, the gradients and the update of the weights.

`losses` and `updates` have the loops, `functions` what torch sees, `gradients` the chain rule.
"""
