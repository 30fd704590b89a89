import { AgnoChatError } from "../../errors.js";
import type { Context } from "../context.js";
import {
  DEFINITIONS,
  parseSetting,
  SETTING_NAMES,
  type SettingName,
  settingNameOf,
  shownValue,
} from "../settings/settings.js";
import { settingsPath, writeSetting } from "../settings/settings-file.js";
import { hasInput, readAll } from "../stdin.js";

type Action = (
  context: Context,
  name: string | undefined,
  value: string | undefined,
) => Promise<void> | void;

const ACTIONS: Readonly<Record<string, Action>> = { list, get, set, unset, path };

/** `config`: the settings, and where each value comes from. */
export async function config(
  context: Context,
  [action = "list", name, value]: string[],
): Promise<void> {
  const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (act === undefined)
    throw new AgnoChatError("USAGE", `config cannot ${JSON.stringify(action)}.`, {
      hint: `It can ${Object.keys(ACTIONS).join(", ")}.`,
    });
  await act(context, name, value);
}

function list({ output, options, settings }: Context): void {
  const rows = SETTING_NAMES.map((name) => ({
    name,
    value: settings.values[name] === undefined ? null : shownValue(name, settings.values[name]),
    origin: settings.origins[name],
    describe: DEFINITIONS[name].describe,
  }));
  if (options.json)
    output.document({ ok: true, settings: rows.map(({ describe: _, ...row }) => row) });
  else output.table(rows.map((row) => [row.name, row.value ?? "-", row.origin, row.describe]));
}

function get({ output, options, settings }: Context, name: string | undefined): void {
  const setting = settingNameOf(required(name));
  const value = settings.values[setting];
  const shown = value === undefined ? null : shownValue(setting, value);
  if (options.json)
    output.document({ ok: true, name: setting, value: shown, origin: settings.origins[setting] });
  else if (shown !== null) output.write(`${shown}\n`);
  else output.note(`${setting} is not set.`);
}

async function set(
  context: Context,
  name: string | undefined,
  value: string | undefined,
): Promise<void> {
  const setting = settingNameOf(required(name));
  const text = await valueFor(setting, value, context);
  await writeSetting(context.home, setting, parseSetting(setting, text, `the setting ${setting}`));
  done(context, setting, `Set ${setting}.`);
}

async function unset(context: Context, name: string | undefined): Promise<void> {
  const setting = settingNameOf(required(name));
  await writeSetting(context.home, setting, undefined);
  done(context, setting, `Unset ${setting}.`);
}

function path({ output, options, home }: Context): void {
  const file = settingsPath(home);
  if (options.json) output.document({ ok: true, path: file });
  else output.write(`${file}\n`);
}

function done({ output, options }: Context, name: SettingName, text: string): void {
  if (options.json) output.document({ ok: true, name });
  else output.note(text);
}

function required(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new AgnoChatError("USAGE", "Which setting?", {
    hint: `Known: ${SETTING_NAMES.join(", ")}.`,
  });
}

/** A key is never taken from the command line, where a shell would keep it. */
async function valueFor(
  name: SettingName,
  value: string | undefined,
  context: Context,
): Promise<string> {
  if (name !== "apiKey") {
    if (value !== undefined) return value;
    throw new AgnoChatError("USAGE", `Which value for ${name}?`, {
      hint: `agno-chat config set ${name} VALUE`,
    });
  }
  if (value !== undefined)
    throw new AgnoChatError(
      "USAGE",
      "A key on the command line would stay in your shell's history.",
      {
        hint: "Leave it out and be asked, or pipe it: agno-chat config set apiKey < key.txt",
      },
    );
  return (await secret(context)).trim();
}

async function secret({ io, signal }: Context): Promise<string> {
  if (hasInput(io.stdin)) return readAll(io.stdin, { signal, onWaiting: () => {} });
  if (!io.stdin.isTTY)
    throw new AgnoChatError("USAGE", "There is no terminal to ask for the key on.", {
      hint: "Pipe it: agno-chat config set apiKey < key.txt",
    });
  const { password } = await import("../prompts.js");
  return password({ message: "Key", mask: true }, { input: io.stdin, output: io.stderr, signal });
}
