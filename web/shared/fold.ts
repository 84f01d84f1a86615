/** Vietnamese text folded for searching: "Đống Đa" and "dong da" become the same. */
export function fold(text: string): string {
  // đ is a letter of its own: it does not decompose, so it is replaced by hand.
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replace(/[đĐ]/g, "d")
    .toLowerCase()
    .replace(/\s+/g, " ")
    .trim();
}

/** Does every word of the (folded) query begin a word of the (folded) text? */
export function matches(folded: string, query: string): boolean {
  if (query === "") return true;
  const padded = ` ${folded}`;
  return query.split(" ").every((word) => padded.includes(` ${word}`));
}
