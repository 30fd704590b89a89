import type { CommanderError } from "commander";
import { AgnoChatError } from "../errors.js";
import { type CommandSpec, reads } from "./command-spec.js";
import { commandsByPath } from "./command-table.js";
import { type CommonName, commonFlag } from "./common-options.js";
import { partsOf } from "./option-row.js";

/**
 * What commander says of wrong arguments, as a sentence with a capital and a full stop.
 * @param path The command, such as `store init`; empty for the program itself.
 */
export function usageError({ code, message }: CommanderError, path: string): AgnoChatError {
  const [what = "", suggestion] = message.replace(/^error: /, "").split("\n");
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1).replace(/\.$/, "")}.`;
  const see = `See ${["agno-chat", path, "--help"].filter((word) => word !== "").join(" ")}.`;
  if (code !== "commander.unknownOption")
    return new AgnoChatError("USAGE", sentence, { hint: see });
  const hint =
    homeHint(/'(--?[\w-]+)/.exec(what)?.[1]) ??
    suggestion?.replace(/^\((.*)\)$/, "$1") ??
    `${see} Put text that begins with a dash after "--".`;
  return new AgnoChatError("USAGE", sentence, { hint });
}

/** A common flag behind a command that does not read it would do nothing. */
export function unreadFlag(path: string, name: CommonName): AgnoChatError {
  const readers = pathsWhere((spec) => reads(spec, name));
  return new AgnoChatError("USAGE", `${path} does not use ${commonFlag(name)}.`, {
    hint: `It is for ${listed(readers)}; see agno-chat ${path} --help.`,
  });
}

/** Which commands have a flag that another one has not. */
function homeHint(flag: string | undefined): string | undefined {
  const homes = pathsWhere(({ options = {} }) =>
    Object.values(options).some(([flags]) => partsOf(flags).names.includes(flag ?? "")),
  );
  return homes.length === 0 ? undefined : `It is an option of ${listed(homes)}.`;
}

const pathsWhere = (isOne: (spec: CommandSpec) => boolean): string[] =>
  [...commandsByPath()]
    .filter(([, spec]) => isOne(spec))
    .map(([path, { hidden }]) => (hidden ? "the chat" : path));

const MOST_NAMED = 5;

function listed(paths: readonly string[]): string {
  const named = paths.length > MOST_NAMED + 1 ? paths.slice(0, MOST_NAMED) : paths;
  const rest = paths.length - named.length;
  const all = rest === 0 ? named : [...named, `${rest} more`];
  return all.join(", ").replace(/, ([^,]+)$/, " and $1");
}
