"""The control panel ``%rnn_lab``, with forms made from the options of the magics."""
