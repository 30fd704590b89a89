import { type OptionRow, partsOf } from "./option-row.js";
import {
  type Definition,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from "./settings/settings-table.js";

/** The flags that are not settings, by name. */
const OPTIONS = {
  json: ["--json", "one JSON document on stdout"],
  quiet: ["-q, --quiet", "no notes on stderr"],
  debug: ["--debug", "print the causes of an error on stderr, with keys masked"],
  color: ["--no-color", "no colour (NO_COLOR)"],
  print: ["-p, --print <prompt>", "the same as ask"],
  yes: ["-y, --yes", "do not ask for confirmation"],
  save: ["--no-save", "keep nothing, neither the chat nor what was typed"],
} as const satisfies Record<string, OptionRow>;

/** What a common flag gives: a setting, or an option that is none. */
export type CommonName = SettingName | keyof typeof OPTIONS;

/** Every common flag and its line of help: first those of settings. */
export const COMMON_OPTIONS: ReadonlyMap<CommonName, OptionRow> = new Map([
  ...SETTING_NAMES.flatMap((name): [CommonName, OptionRow][] => {
    const { flag, describe, env }: Definition = SETTINGS[name];
    if (flag === undefined) return [];
    return [[name, [flag, env === undefined ? describe : `${describe} (${env})`]]];
  }),
  ...(Object.entries(OPTIONS) as [CommonName, OptionRow][]),
]);

/** The long name of a common flag, such as `--base-url`; undefined for a setting that has none. */
export const commonFlag = (name: CommonName): string | undefined =>
  partsOf(COMMON_OPTIONS.get(name)?.[0] ?? "").names.at(-1);

/** These mean something to every command. */
export const EVERYWHERE: readonly CommonName[] = ["quiet", "debug", "color"];

export const VERSION_OPTION = ["-V, --version", "print the version"] as const;
export const HELP_OPTION = ["-h, --help", "show help"] as const;
