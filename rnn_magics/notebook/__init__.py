"""The magics: the only part of rnn_magics that knows about IPython."""
