import type { Repl } from "../repl.js";
import type { CommandCall } from "./slash-command.js";

export async function model(repl: Repl, { argument }: CommandCall): Promise<void> {
  if (argument === "") return repl.screen.print(`${repl.parts.model.name}\n`);
  repl.change({ model: await repl.openModel(argument) });
  repl.screen.note(`Answered by ${repl.parts.model.name} from now on, for everyone here.`);
}

export function system(repl: Repl, { argument }: CommandCall): void {
  if (argument === "")
    return repl.screen.print(`${repl.parts.instructions ?? "No instructions."}\n`);
  repl.change({ instructions: argument });
  repl.screen.note("The model is given these instructions from now on, for everyone here.");
}

export function tools(repl: Repl): void {
  const rows = repl.parts.toolkits.map(
    (toolkit) => `${toolkit.name}: ${toolkit.tools.map(({ name }) => name).join(", ")}\n`,
  );
  if (rows.length === 0)
    repl.screen.note("No tools. Begin with --tools calculator,clock,notes to have some.");
  else repl.screen.print(rows.join(""));
}
