import { validateSessionId, validateUserId } from "../../ids.js";
import { knownNames } from "../../memory/known-names.js";
import { type CommandSpec, reads } from "../command-spec.js";
import { COMMANDS } from "../command-table.js";
import {
  COMMON_OPTIONS,
  type CommonName,
  EVERYWHERE,
  HELP_OPTION,
  VERSION_OPTION,
} from "../common-options.js";
import type { Io } from "../io.js";
import { type OptionRow, partsOf } from "../option-row.js";
import { homeOf } from "../settings/home.js";
import { type Flags, resolveSettings, type Settings } from "../settings/settings.js";
import { readSettingsFile } from "../settings/settings-file.js";
import { SETTINGS } from "../settings/settings-table.js";

/** One word that Tab may offer, with a line about it. */
export interface Candidate {
  readonly word: string;
  readonly about?: string | undefined;
}

/** What Tab offers: words, or the names of files, which the shell knows best. */
export type Candidates = readonly Candidate[] | "files";

/** How many users or sessions are offered at most. */
const MOST_NAMES = 200;

/**
 * What may stand at the cursor of a command line.
 * @param words The words before it, without the program's name.
 * @param current The part of the word at the cursor that is typed.
 */
export async function candidatesFor(
  words: readonly string[],
  current: string,
  env: Io["env"],
): Promise<Candidates> {
  const place = placeAfter(words);
  const [, flag, typed] = /^(--[a-z][a-z-]*)=(.*)$/s.exec(current) ?? [];
  const inline = flag === undefined ? undefined : place.options.get(flag);
  if (inline !== undefined && typed !== undefined) {
    const values = await valuesOf(inline, typed, { place, env });
    return values === "files"
      ? values
      : values.map(({ word, about }) => ({ word: `${flag}=${word}`, about }));
  }
  if (place.pending !== undefined) return valuesOf(place.pending, current, { place, env });
  if (!place.isOnlyText && current.startsWith("-"))
    return beginningWith(current, flagsOf(place.options));
  const found = argumentAt(place);
  return found === "files" ? found : beginningWith(current, found);
}

/** An option, and what it gives, if it is a common one. */
interface Option {
  readonly row: OptionRow;
  readonly name: CommonName | undefined;
}

type Options = ReadonlyMap<string, Option>;

/** Where in a command line the next word stands. */
interface Place {
  /** The command so far; undefined for the program itself. */
  readonly spec: CommandSpec | undefined;
  readonly options: Options;
  /** The words of the command that are neither flags nor their values. */
  readonly args: readonly string[];
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
  /** Everything after `--` is text. */
  readonly isOnlyText: boolean;
  readonly flags: Flags;
}

function placeAfter(words: readonly string[]): Place {
  let spec: CommandSpec | undefined;
  let options = optionsOf(spec);
  let args: string[] = [];
  let pending: Option | undefined;
  let isOnlyText = false;
  const flags: Record<string, string> = {};
  const take = ({ name }: Option, value: string) => {
    if (name !== undefined) flags[name] = value;
  };
  for (const word of words) {
    const [, name = word, value] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    const option = options.get(name);
    const below: readonly CommandSpec[] = spec === undefined ? COMMANDS : (spec.commands ?? []);
    const command = args.length === 0 ? below.find((each) => each.name === word) : undefined;
    if (pending !== undefined) {
      take(pending, word);
      pending = undefined;
    } else if (isOnlyText) args.push(word);
    else if (word === "--") isOnlyText = true;
    else if (option !== undefined) {
      if (value !== undefined) take(option, value);
      else if (partsOf(option.row[0]).value !== undefined) pending = option;
    } else if (command !== undefined) {
      spec = command;
      options = optionsOf(spec);
      args = [];
    } else if (!word.startsWith("-")) args.push(word);
  }
  return { spec, options, args, pending, isOnlyText, flags };
}

/** The options that a command reads, by each of their names. Those of the program are all. */
function optionsOf(spec: CommandSpec | undefined): Options {
  const { options: own = {} } =
    spec ?? (COMMANDS.find(({ name }) => name === "repl") as CommandSpec);
  const common = [...COMMON_OPTIONS].filter(
    ([name]) => spec === undefined || reads(spec, name) || EVERYWHERE.includes(name),
  );
  const last = spec === undefined ? [VERSION_OPTION, HELP_OPTION] : [HELP_OPTION];
  const all: Option[] = [
    ...[...Object.values(own), ...last].map((row) => ({ row, name: undefined })),
    ...common.map(([name, row]) => ({ row, name })),
  ];
  return new Map(
    all.flatMap((option) => partsOf(option.row[0]).names.map((flag) => [flag, option] as const)),
  );
}

function flagsOf(options: Options): Candidate[] {
  return [...options]
    .filter(([name]) => name.startsWith("--"))
    .map(([word, { row }]) => ({ word, about: row[1] }));
}

function argumentAt({ spec, args }: Place): Candidates {
  const [argument, ...others] = args;
  if (spec === undefined) {
    const isHelp = argument === "help" && others.length === 0;
    if (argument !== undefined && !isHelp) return [];
    return isHelp ? commands(COMMANDS) : [...commands(COMMANDS), HELP];
  }
  if (spec.commands !== undefined && argument === undefined) return commands(spec.commands);
  const names = spec.args?.match(/[<[]([a-z]+)/g) ?? [];
  if (FILES.has(names[args.length]?.slice(1) ?? "")) return "files";
  return (spec.values?.[args.length] ?? []).map((word) => ({ word }));
}

const HELP: Candidate = { word: "help", about: "explain a command" };

/** What arguments and values are called that are the names of files, or have one in them. */
const FILES: ReadonlySet<string> = new Set(["file", "script", "store"]);

const commands = (specs: readonly CommandSpec[]): Candidate[] =>
  specs
    .filter(({ hidden = false }) => !hidden)
    .map(({ name, summary }) => ({ word: name, about: summary }));

const beginningWith = (typed: string, candidates: readonly Candidate[]): readonly Candidate[] =>
  candidates.filter(({ word }) => word.startsWith(typed));

async function valuesOf(
  { row: [flags, , values], name }: Option,
  typed: string,
  { place, env }: { readonly place: Place; readonly env: Io["env"] },
): Promise<Candidates> {
  if (FILES.has(partsOf(flags).value ?? "")) return "files";
  if (values !== undefined)
    return beginningWith(
      typed,
      values.map((word) => ({ word })),
    );
  if (name === "tools") return listed(typed, SETTINGS.tools.values);
  if (name === "user" || name === "session")
    return namesOf(name, typed, await settingsOf(place, env));
  if (name !== "model") return [];
  const { model } = (await settingsOf(place, env)).values;
  const models = new Set(["demo", ...(model === undefined ? [] : [model])]);
  return beginningWith(
    typed,
    [...models].map((word) => ({ word })),
  );
}

/** Completes the last name of a list that is separated by commas. */
function listed(typed: string, names: readonly string[]): readonly Candidate[] {
  const before = typed.slice(0, typed.lastIndexOf(",") + 1);
  const given = new Set(before.split(","));
  const words = names.filter((name) => !given.has(name)).map((name) => ({ word: before + name }));
  return beginningWith(typed, words);
}

async function namesOf(
  setting: "user" | "session",
  prefix: string,
  { values: { user, store } }: Settings,
): Promise<readonly Candidate[]> {
  if (store === undefined) return [];
  const of = setting === "user" ? {} : { sessionsOf: user };
  const names = await knownNames(store, { ...of, prefix, limit: MOST_NAMES });
  const validate = setting === "user" ? validateUserId : validateSessionId;
  return names.filter((name) => isValid(name, validate)).map((word) => ({ word }));
}

/** A valid id has no control character, which a shell would print. */
function isValid(name: string, validate: (id: string) => unknown): boolean {
  try {
    validate(name);
    return true;
  } catch {
    return false;
  }
}

/** The settings that count for the command line so far. */
async function settingsOf({ flags }: Place, env: Io["env"]): Promise<Settings> {
  const home = homeOf(env);
  const file = home === undefined ? {} : await readSettingsFile(home);
  const { user, store, model } = flags;
  const named = { ...(user && { user }), ...(store && { store }), ...(model && { model }) };
  return resolveSettings({ flags: named, env, file, home });
}
