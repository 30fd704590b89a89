import { AgnoChatError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import type { Context } from "../command-context.js";
import { SCRIPTS } from "../completion/scripts.js";

export type Shell = keyof typeof SCRIPTS;

/** `completion`: prints the script that a shell reads to complete words. */
export async function completion({ output }: Context, [shell = ""]: string[]): Promise<void> {
  if (!isShell(shell)) throw unknownShell(shell);
  output.writeSafe(SCRIPTS[shell]);
}

const isShell = (name: string): name is Shell => Object.hasOwn(SCRIPTS, name);

function unknownShell(name: string): AgnoChatError {
  const known = Object.keys(SCRIPTS);
  const near = nearest(name, known);
  return new AgnoChatError("USAGE", `There is no completion for ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `Known: ${known.join(", ")}.` : `Did you mean ${near}?`,
  });
}
