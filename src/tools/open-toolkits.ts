import { AgnoChatError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { Toolkit } from "./tool.js";

const BUILT_IN: ReadonlyMap<string, () => Promise<Toolkit>> = new Map([
  ["calculator", async () => (await import("./calculator.js")).calculator()],
  ["clock", async () => (await import("./clock.js")).clock()],
  ["notes", async () => (await import("./notes.js")).notes()],
]);

/** The names of the built-in toolkits. */
export const TOOLKIT_NAMES: readonly string[] = [...BUILT_IN.keys()];

/**
 * Opens built-in toolkits by name, each once.
 * @param names Separated by commas; an empty string opens none.
 * @example
 * const toolkits = await openToolkits("notes,calculator");
 * const agent = new Agent({ model: new DemoModel(), toolkits });
 * const { content } = await agent.run("What is 6 * 7?", { userId: "alice" });
 * console.log(content); // The result is 42.
 * @throws {AgnoChatError} rejects with `USAGE` for an unknown name
 */
export async function openToolkits(names: string): Promise<Toolkit[]> {
  const unique = new Set(names.split(",").map((name) => name.trim().toLowerCase()));
  unique.delete("");
  return Promise.all([...unique].map(openToolkit));
}

async function openToolkit(name: string): Promise<Toolkit> {
  const open = BUILT_IN.get(name);
  if (open) return open();
  const near = nearest(name, TOOLKIT_NAMES);
  const meant = near === undefined ? "" : `Did you mean ${near}? `;
  throw new AgnoChatError("USAGE", `There is no toolkit ${JSON.stringify(name.slice(0, 64))}.`, {
    hint: `${meant}The toolkits are: ${TOOLKIT_NAMES.join(", ")}.`,
  });
}
