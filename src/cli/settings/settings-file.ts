import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import type { ParseError } from "jsonc-parser";
import { ensureFolder } from "../../ensure-folder.js";
import { AgnoChatError } from "../../errors.js";
import { systemReason } from "../../system-errors.js";

/** The content of the settings file, unchecked. */
export type FileSettings = Readonly<Record<string, unknown>>;

export const settingsPath = (home: string): string => join(home, "settings.json");

/**
 * Reads the settings file; empty when there is none.
 * @throws {AgnoChatError} `CONFIG_INVALID` for a file that is not one JSON object, or that other
 * users can write
 */
export async function readSettingsFile(home: string): Promise<FileSettings> {
  const path = settingsPath(home);
  const bytes = readIfThere(path);
  if (bytes === undefined) return {};
  refuseOthers(home, ELSEWHERE);
  refuseOthers(path, ELSEWHERE);
  return contentOf(path, bytes);
}

/**
 * Reads a settings file that the command line names.
 * @throws {AgnoChatError} as `readSettingsFile`, and when there is no such file
 */
export async function readNamedSettingsFile(path: string): Promise<FileSettings> {
  const bytes = readIfThere(path);
  if (bytes === undefined)
    throw unreadable(path, "it does not exist", undefined, "Check the path after --config.");
  refuseOthers(path);
  return contentOf(path, bytes);
}

async function contentOf(path: string, bytes: Buffer): Promise<FileSettings> {
  const parsed = await parse(textOf(bytes, path), path);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw unreadable(path, "it is not a JSON object");
  return parsed as FileSettings;
}

/**
 * Changes these values atomically, and removes those that are `undefined`. Only the owner can read
 * the file.
 * @throws {AgnoChatError} `CONFIG_INVALID` for an unreadable file; `FILE_UNWRITABLE`
 */
export async function writeSettings(home: string, changes: FileSettings): Promise<void> {
  const changed = Object.entries({ ...(await readSettingsFile(home)), ...changes });
  const { default: Conf } = await import("conf");
  try {
    ensureFolder(home);
    const conf = new Conf<Record<string, unknown>>({
      cwd: home,
      configName: "settings",
      accessPropertiesByDotNotation: false,
      configFileMode: 0o600,
      deserialize: (text) => JSON.parse(withoutMark(text)),
    });
    conf.store = Object.fromEntries(changed.filter(([, value]) => value !== undefined));
  } catch (cause) {
    const reason = systemReason(cause) ?? "unknown reason";
    throw new AgnoChatError(
      "FILE_UNWRITABLE",
      `Cannot write the settings file ${settingsPath(home)}: ${reason}.`,
      { hint: "Check that you may write it and its folder.", cause },
    );
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = systemReason(cause);
    // Below a file, there is none either; whoever writes there says what is wrong with the home.
    if (/ENOENT|ENOTDIR/.test(reason ?? "")) return undefined;
    throw unreadable(path, reason ?? "unknown reason", cause);
  }
}

const ELSEWHERE = ", or name another folder in AGNO_CHAT_HOME";

const GROUP_OR_OTHERS_WRITE = 0o022;

/** The settings name the server a key is sent to and the command that prints the key. */
function refuseOthers(path: string, orElse = ""): void {
  if (process.getuid === undefined) return;
  const { uid, mode }: Stats = statSync(path);
  const mayWrite = mode & GROUP_OR_OTHERS_WRITE;
  if (uid !== 0 && uid !== process.getuid())
    throw untrusted(path, "belongs to another user", `Make it yours with chown ${path}${orElse}.`);
  if (mayWrite)
    throw untrusted(path, "can be written by others", `Run chmod go-w ${path}${orElse}.`);
}

const untrusted = (path: string, why: string, hint: string): AgnoChatError =>
  new AgnoChatError("CONFIG_INVALID", `The settings are not used: ${path} ${why}.`, { hint });

const MARKS_OF_UTF_16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

function textOf(bytes: Buffer, path: string): string {
  try {
    return withoutMark(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    const isUtf16 = MARKS_OF_UTF_16.some((mark) => mark.equals(bytes.subarray(0, 2)));
    throw unreadable(
      path,
      `it is ${isUtf16 ? "UTF-16" : "not UTF-8"} text`,
      cause,
      "Save it as UTF-8.",
    );
  }
}

/** Removes the byte order mark that some editors write. */
const withoutMark = (text: string): string => text.replace(/^\ufeff/, "");

async function parse(text: string, path: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(path, await faultIn(text));
  }
}

/** Gives the line and column, but not the text there: it may be a key. */
async function faultIn(text: string): Promise<string> {
  const { parse: parseLeniently, printParseErrorCode } = await import("jsonc-parser");
  const faults: ParseError[] = [];
  parseLeniently(text, faults, { disallowComments: true });
  const [fault] = faults;
  if (fault === undefined) return "it is not JSON";
  const lines = text.slice(0, fault.offset).split("\n");
  const words = printParseErrorCode(fault.error).replace(/\B[A-Z]/g, (letter) => ` ${letter}`);
  return `${words.toLowerCase()} in line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

const unreadable = (
  path: string,
  reason: string,
  cause?: unknown,
  hint = "Fix it or delete it: it must hold one JSON object.",
): AgnoChatError =>
  new AgnoChatError("CONFIG_INVALID", `Cannot read the settings file ${path}: ${reason}.`, {
    hint,
    cause,
  });
