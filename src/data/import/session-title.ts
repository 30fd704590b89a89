const LONGEST = 60;

/** Everything that a session id may hold and a shell leaves alone, in any script. */
const BETWEEN_WORDS = /(?:[^\p{L}\p{M}\p{N}]|\p{Default_Ignorable_Code_Point})+/gu;

/** A session id made of the title of a conversation, and of a mark that no other one has. */
export function sessionNameOf(title: string, mark: string): string {
  const words = title
    .toWellFormed()
    .normalize("NFC")
    .toLowerCase()
    .replace(BETWEEN_WORDS, "-")
    .replace(/^-+|-+$/g, "");
  const short = [...words].slice(0, LONGEST).join("").replace(/-+$/, "").normalize("NFC");
  return `${short === "" ? "conversation" : short}-${mark}`;
}
