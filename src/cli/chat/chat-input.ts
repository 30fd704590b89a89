/** What one input of the REPL is: a message for the model, or a command with what follows its name. */
export type Input =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly name: string; readonly argument: string };

/** What people type to leave or to find help: commands without a slash, but only when they are all there is. */
const BARE_COMMANDS: ReadonlyMap<string, string> = new Map([
  ...["exit", "quit", "bye", ":q", ":q!", ":wq"].map((word) => [word, "exit"] as const),
  ["help", "help"],
]);

/**
 * A first word with one slash in front is a command; a path (`/usr/bin`) is text, and `//x` is the text `/x`. A line that
 * is nothing but `help` or `bye` is one too.
 * @param literal Text whatever it begins with, since it was pasted or written in a block.
 */
export function parseInput(text: string, literal = false): Input {
  const trimmed = text.trim();
  if (literal) return { kind: "message", text };
  const bare = BARE_COMMANDS.get(trimmed);
  if (bare !== undefined) return { kind: "command", name: bare, argument: "" };
  if (trimmed.startsWith("//")) return { kind: "message", text: trimmed.slice(1) };
  const [, name, argument = ""] = /^\/([^\s/]+)(?:\s+([\s\S]*))?$/.exec(trimmed) ?? [];
  if (name === undefined) return { kind: "message", text };
  return { kind: "command", name, argument: argument.trimEnd() };
}

/** What `/as` is given: who speaks, and what they say. Undefined when either is missing. */
export function parseAside(argument: string): { userId: string; message: string } | undefined {
  const [, userId, message] = /^(\S+)\s+([\s\S]+)$/.exec(argument) ?? [];
  return userId === undefined || message === undefined ? undefined : { userId, message };
}
