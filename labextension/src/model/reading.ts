/** Text becomes token indices in the page. */

/** The index of `<unk>`. */
export const UNK = 0;

export class Tokens {
  private readonly index: Map<string, number>;
  private readonly longest: number;

  constructor(
    readonly vocab: readonly string[],
    readonly isSpaced: boolean
  ) {
    this.index = new Map(vocab.map((token, index) => [token, index]));
    this.longest = vocab.reduce((most, token) => Math.max(most, token.length), 1);
  }

  /**
   * Return the indices of a text: words between spaces, or at each place the longest token that
   * stands there. A character that no token begins with is `<unk>`, unless the vocabulary has it
   * in small letters, as that of a text that was read in small letters does.
   */
  read(text: string): number[] {
    if (this.isSpaced) {
      return text.split(/\s+/).filter(Boolean).flatMap(word => this.word(word));
    }
    return this.pieces(text);
  }

  /** Return the text of tokens. */
  write(indices: readonly number[]): string {
    return indices.map(index => this.vocab[index] ?? '').join(this.isSpaced ? ' ' : '');
  }

  private word(word: string): number[] {
    const known = this.known(word);
    if (known !== null) {
      return [known];
    }
    const parts = word.match(/[\p{L}\p{M}\p{N}_']+|[^\p{L}\p{M}\p{N}_'\s]/gu) ?? [word];
    return parts.map(part => this.known(part) ?? UNK);
  }

  private pieces(text: string): number[] {
    const found: number[] = [];
    for (let at = 0; at < text.length; ) {
      const [index, length] = this.longestAt(text, at);
      found.push(index);
      at += length;
    }
    return found;
  }

  private longestAt(text: string, at: number): [number, number] {
    for (let length = Math.min(this.longest, text.length - at); length > 0; length--) {
      const known = this.known(text.slice(at, at + length));
      if (known !== null) {
        return [known, length];
      }
    }
    return [UNK, String.fromCodePoint(text.codePointAt(at) ?? 0).length];
  }

  private known(piece: string): number | null {
    return this.index.get(piece) ?? this.index.get(piece.toLowerCase()) ?? null;
  }
}
