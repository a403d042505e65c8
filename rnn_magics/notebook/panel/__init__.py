"""The control panel, ``%rnn_lab``: forms made from the options of the magics."""
