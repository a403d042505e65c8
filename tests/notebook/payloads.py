"""Text that would act on a page or a terminal, were it not data."""

from __future__ import annotations

PAYLOADS = {
    # a terminal
    "colour": "\x1b[31mred\x1b[0m",
    "clear the screen": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://x.example\x1b\\text\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "device string": "\x1bPq#0;2;0;0;0\x1b\\",
    "eight-bit escape": "\x9b31m\x9d0;owned\x9c",
    "bell and backspace": "safe\x07\x08\x08\x08\x08evil",
    "carriage return": "good\rbad!",
    "form feed": "a\x0cb\x0bc",
    "null": "a\x00b",
    "delete": "a\x7fb",
    "c1 next line": "a\x85b",
    "every control": "".join(map(chr, range(32))),
    # reading order and what is not seen
    "right-to-left override": "\u202etxt.exe",
    "left-to-right override": "\u202dabc",
    "embedding": "\u202aabc\u202c",
    "isolates": "\u2066abc\u2069\u2067def\u2068",
    "marks": "a\u200eb\u200fc\u061cd",
    "zero width": "pay\u200bpal\u200c\u200d\ufeff",
    "soft hyphen": "pass\u00adword",
    "word joiner": "a\u2060b\u2064c",
    "line separator": "a\u2028b\u2029c",
    "tag characters": "\U000e0041\U000e0042",
    "private use": "\ue000\U000f0000",
    "not assigned": "\u0378\uffff",
    "interlinear": "\ufff9a\ufffab\ufffb",
    # halves of characters
    "high surrogate": "a\ud800b",
    "low surrogate": "a\udfffb",
    "reversed pair": "\udc00\ud800",
    "undecodable byte": "caf\udce9",
    # a page
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "svg": "<svg/onload=alert(1)>",
    "broken out": "\"'></td></table><script>alert(1)</script>",
    "comment": "<!--<b>--><style>*{display:none}</style>",
    "entities": "&lt;b&gt; &#60;script&#62; &amp;lt;",
    "frame": "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "handler": "' onmouseover='alert(1)",
    "link with script": "<a href='javascript:alert(1)'>x</a>",
    # what a shell, a template or a renderer would expand
    "braces": "{__import__('os').getcwd()}",
    "dollar": "$HOME ${HOME} $x^2$ \\(x\\)",
    "markdown": "[x](javascript:alert(1)) ![y](http://x.example/z.png)",
    "long line": "x" * 20_000,
}
