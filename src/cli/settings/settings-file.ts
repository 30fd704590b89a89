import { existsSync, mkdirSync } from "node:fs";
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

/** Sets one value, or removes it when it is `undefined`. */
export async function writeSetting(home: string, name: string, value: unknown): Promise<void> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const conf = await openConf(home);
  if (value === undefined) conf.delete(name);
  else conf.set(name, value);
}

async function openConf(home: string): Promise<Conf<Record<string, unknown>>> {
  const { default: Conf } = await import("conf");
  try {
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
