import { AgnoChatError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import type { Context } from "../command-context.js";
import { requireHome } from "../settings/home.js";
import { parseSetting } from "../settings/settings.js";
import {
  type FileSettings,
  readSettingsFile,
  settingsPath,
  writeSettings,
} from "../settings/settings-file.js";
import { SETTING_NAMES, SETTINGS, type SettingName } from "../settings/settings-table.js";
import { parseSettingName, shownValue } from "../settings/shown-settings.js";
import { commandIn } from "../settings/stored-key.js";
import { hasInput, readAll } from "../stdin.js";

interface Action {
  /** How many arguments it takes at most. */
  readonly words: number;
  readonly run: (
    context: Context,
    name: string | undefined,
    value: string | undefined,
  ) => Promise<void> | void;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { words: 0, run: list },
  get: { words: 1, run: get },
  set: { words: 2, run: set },
  unset: { words: 1, run: unset },
  path: { words: 0, run: path },
};

/**
 * `config`: lists, reads and changes the settings. Without arguments on a terminal, it asks which
 * model to use.
 */
export async function config(context: Context, [action, ...words]: string[]): Promise<number> {
  if (action === undefined && isOnTerminal(context)) {
    const { setUp } = await import("../setup/set-up.js");
    return setUp(context);
  }
  await act(context, action ?? "list", words);
  return 0;
}

const isOnTerminal = ({ io, options }: Context): boolean =>
  Boolean(io.stdin.isTTY && io.stdout.isTTY && io.stderr.isTTY) && !options.json;

async function act(context: Context, action: string, words: readonly string[]): Promise<void> {
  const chosen = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (chosen === undefined) throw unknownAction(action);
  // The extra argument is not repeated: it may be a key.
  if (words.length > chosen.words)
    throw new AgnoChatError("USAGE", `config ${action} got too many arguments.`, {
      hint: `agno-chat config ${[action, ...["NAME", "VALUE"].slice(0, chosen.words)].join(" ")}`,
    });
  const [name, value] = words;
  await chosen.run(context, name, value);
}

function unknownAction(action: string): AgnoChatError {
  const near = nearest(action, Object.keys(ACTIONS));
  return new AgnoChatError("USAGE", `There is no config action ${JSON.stringify(action)}.`, {
    hint:
      near === undefined ? `Known: ${Object.keys(ACTIONS).join(", ")}.` : `Did you mean ${near}?`,
  });
}

function list({ output, options, settings }: Context): void {
  const rows = SETTING_NAMES.map((name) => ({
    name,
    value: shownValue(settings, name),
    origin: settings.origins[name],
    describe: SETTINGS[name].describe,
  }));
  if (options.json)
    output.document({ ok: true, settings: rows.map(({ describe: _, ...row }) => row) });
  else output.table(rows.map((row) => [row.name, row.value ?? "-", row.origin, row.describe]));
}

function get({ output, options, settings }: Context, name: string | undefined): void {
  const setting = parseSettingName(required(name));
  const shown = shownValue(settings, setting);
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
  const setting = parseSettingName(required(name));
  const text = await valueFor(setting, value, context);
  const parsed = parseSetting(setting, text, { label: `The setting ${setting}`, code: "USAGE" });
  await write(context, { [setting]: parsed });
  done(context, setting, `Set ${setting}.`);
}

async function unset(context: Context, name: string | undefined): Promise<void> {
  const setting = parseSettingName(required(name));
  await write(context, { [setting]: undefined });
  done(context, setting, `Unset ${setting}.`);
}

/** Changing the server also removes its key, so that no other server is ever sent that key. */
async function write(context: Context, changes: FileSettings): Promise<void> {
  const home = requireHome(context.home);
  const { baseUrl, apiKey, apiKeyEnv } = await readSettingsFile(home);
  const leavesServer = "baseUrl" in changes && changes.baseUrl !== baseUrl && (apiKey ?? apiKeyEnv);
  if (!leavesServer) return writeSettings(home, changes);
  await writeSettings(home, { ...changes, apiKey: undefined, apiKeyEnv: undefined });
  context.output.note(
    "The key belonged to the previous server and was removed. Set one: agno-chat config set apiKey",
  );
}

function path({ output, options, home }: Context): void {
  const file = settingsPath(requireHome(home));
  if (options.json) output.document({ ok: true, path: file });
  else output.write(`${file}\n`);
}

function done({ output, options }: Context, name: SettingName, text: string): void {
  if (options.json) output.document({ ok: true, name });
  else output.note(text);
}

function required(name: string | undefined): string {
  if (name !== undefined) return name;
  throw new AgnoChatError("USAGE", "No setting is named.", {
    hint: `Known: ${SETTING_NAMES.join(", ")}.`,
  });
}

/**
 * The new value. A key is never taken from the command line, because a shell would keep it in its
 * history; a command that prints the key may be.
 */
async function valueFor(
  name: SettingName,
  value: string | undefined,
  context: Context,
): Promise<string> {
  if (name !== "apiKey") {
    if (value !== undefined) return value;
    throw new AgnoChatError("USAGE", `No value is given for ${name}.`, {
      hint: `agno-chat config set ${name} VALUE`,
    });
  }
  if (value === undefined) return (await secret(context)).trim();
  if (commandIn(value) !== undefined) return value;
  throw new AgnoChatError(
    "USAGE",
    "A key on the command line would stay in your shell's history.",
    {
      hint: "Leave it out to be asked for it, or pipe it: agno-chat config set apiKey < key.txt",
    },
  );
}

async function secret(context: Context): Promise<string> {
  const { io, signal } = context;
  if (hasInput(io)) return readAll(io.stdin, { signal, onWaiting: () => {} });
  if (!io.stdin.isTTY)
    throw new AgnoChatError("USAGE", "There is no terminal to ask for the key on.", {
      hint: "Pipe it: agno-chat config set apiKey < key.txt",
    });
  const { askKey } = await import("../setup/setup-questions.js");
  return askKey(context, { message: "Key", isOptional: false });
}
