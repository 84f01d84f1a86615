/** A refusal that has a stable code; programs look at the code. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    text: string,
    readonly field: string | null = null,
  ) {
    super(text);
    this.name = "Refused";
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Refused ? error.code : "internal";
}
