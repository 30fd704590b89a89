/** What the shell has and the chat has not, as it is called there. */
const SHELL_COMMANDS: Readonly<Record<string, string>> = {
  import: "import FILE --user ID",
  backup: "backup FILE",
  run: "run SCRIPT",
  demo: "demo",
  serve: "serve",
  prune: "prune --inactive 30d",
  verify: "verify",
  token: "token list",
  limit: "limit list",
  store: "store check",
  models: "models",
  config: "config",
  completion: "completion bash",
};

/** What to do in place of a command of the shell; undefined for any other word. */
export function shellHint(name: string): string | undefined {
  if (name === "ask") return "Type the message alone; /as asks as someone else.";
  if (!Object.hasOwn(SHELL_COMMANDS, name)) return undefined;
  return `In a shell: agno-chat ${SHELL_COMMANDS[name]}`;
}
