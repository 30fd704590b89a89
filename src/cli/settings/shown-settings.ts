import { AgnoChatError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { maskSecrets } from "../../secrets.js";
import type { Settings } from "./settings.js";
import { type Definition, SETTING_NAMES, SETTINGS, type SettingName } from "./settings-table.js";
import { commandIn } from "./stored-key.js";

/** @throws {AgnoChatError} `USAGE` with the nearest known name */
export function parseSettingName(name: string): SettingName {
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName;
  const near = nearest(name, SETTING_NAMES);
  throw new AgnoChatError("USAGE", `There is no setting ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `Known: ${SETTING_NAMES.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/**
 * A value as it may be shown; null when it is not set. A key is cut to its last characters; a
 * command that prints the key is shown whole.
 */
export function shownValue({ values, origins }: Settings, name: SettingName): string | null {
  const definition: Definition = SETTINGS[name];
  const value = values[name];
  if (value === undefined) return null;
  const text = String(value);
  const isCommand = origins[name] === "settings file" && commandIn(text) !== undefined;
  return definition.secret && !isCommand ? masked(text) : maskSecrets(text);
}

/** Shows nothing of a short key: four characters would be most of it. */
const masked = (key: string): string => (key.length < 16 ? "…" : `…${key.slice(-4)}`);
