import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type Conf from "conf";
import { AgnoChatError } from "../../errors.js";

/** What the settings file holds, unchecked. */
export type FileSettings = Readonly<Record<string, unknown>>;

export const settingsPath = (home: string): string => join(home, "settings.json");

/**
 * Everything in the settings file; empty when there is none.
 * @throws {AgnoChatError} `CONFIG_INVALID` for a file that is not a JSON object
 */
export async function readSettingsFile(home: string): Promise<FileSettings> {
  // Most people never write one: then conf is not loaded at all.
  if (!existsSync(settingsPath(home))) return {};
  return (await openConf(home)).store;
}

/** Sets these values at once, all or none, and removes those that are `undefined`. The file is its owner's alone. */
export async function writeSettings(home: string, changes: FileSettings): Promise<void> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const conf = await openConf(home);
  const changed = Object.entries({ ...conf.store, ...changes });
  conf.store = Object.fromEntries(changed.filter(([, value]) => value !== undefined));
}

async function openConf(home: string): Promise<Conf<Record<string, unknown>>> {
  const { default: Conf } = await import("conf");
  try {
    refuseOther(settingsPath(home));
    return new Conf({
      cwd: home,
      configName: "settings",
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
    });
  } catch (cause) {
    throw new AgnoChatError(
      "CONFIG_INVALID",
      `Cannot read the settings file ${settingsPath(home)}.`,
      {
        hint: "Mend it or delete it; it must hold one JSON object.",
        cause,
      },
    );
  }
}

/** conf takes a list or a text for settings too, and writes over it. */
function refuseOther(path: string): void {
  if (!existsSync(path)) return;
  const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new TypeError("not a JSON object");
}
