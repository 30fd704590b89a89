import { AgnoChatError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import type { OptionRow } from "../option-row.js";
import { type FileSettings, readNamedSettingsFile } from "./settings-file.js";
import { SETTING_NAMES, SETTINGS } from "./settings-table.js";

/** A command's options by property name, such as `allowAnonymous`, with their flags. */
export type OptionRows = Readonly<Record<string, OptionRow>>;

/** The content of a file that `--config` names. */
export interface ServerFile {
  readonly settings: FileSettings;
  /** The command's options, as the command line would give them. */
  readonly options: Readonly<Record<string, string | true>>;
}

/**
 * Reads a file with settings and with the options of one command, such as
 * `{ "store": "postgres://…", "port": 8080 }`.
 * @throws {AgnoChatError} `CONFIG_INVALID` for an unreadable file, an unknown key, or an option of
 *   the wrong type
 */
export async function readServerFile(path: string, rows: OptionRows): Promise<ServerFile> {
  const settings: Record<string, unknown> = {};
  const options: Record<string, string | true> = {};
  for (const [key, value] of Object.entries(await readNamedSettingsFile(path))) {
    if (Object.hasOwn(SETTINGS, key)) settings[key] = value;
    else if (key !== "config" && Object.hasOwn(rows, key)) {
      const option = optionOf(value, { key, path, isSwitch: !rows[key]?.[0].includes("<") });
      if (option !== undefined) options[key] = option;
    } else throw unknownKey(key, path, [...SETTING_NAMES, ...Object.keys(rows)]);
  }
  return { settings, options };
}

interface Place {
  readonly key: string;
  readonly path: string;
  /** The option is on or off. */
  readonly isSwitch: boolean;
}

function optionOf(value: unknown, { key, path, isSwitch }: Place): string | true | undefined {
  if (isSwitch && typeof value === "boolean") return value || undefined;
  if (!isSwitch && (typeof value === "string" || typeof value === "number")) return String(value);
  throw new AgnoChatError("CONFIG_INVALID", `${key} in ${path} has the wrong type.`, {
    hint: isSwitch ? `Write "${key}": true or false.` : `Write "${key}" as a text in quotes.`,
  });
}

function unknownKey(key: string, path: string, known: readonly string[]): AgnoChatError {
  const near = nearest(key, known);
  return new AgnoChatError(
    "CONFIG_INVALID",
    `${path} has the unknown setting ${JSON.stringify(key)}.`,
    {
      hint: near === undefined ? `Known: ${known.join(", ")}.` : `Did you mean ${near}?`,
    },
  );
}
