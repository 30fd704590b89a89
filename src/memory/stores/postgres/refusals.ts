import { AgnoChatError } from "../../../errors.js";
import { NO_RIGHT, PostgresError } from "./postgres-errors.js";

/** What is said of a database, named as `nameOf` does, that cannot be used as it is. */

export const notReady = (name: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${name} holds no agno-chat memory, and this role may not make one.`,
    {
      hint: "Let its administrator run agno-chat store init, with --grant and the name of this role.",
      cause: new PostgresError(NO_RIGHT, { isUnknown: false }),
    },
  );

export const missing = (name: string): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", `The database ${name} holds no agno-chat memory yet.`, {
    hint: "Make one: agno-chat store init URL",
  });

export const foreign = (name: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_FOREIGN",
    `The schema agno_chat of the database ${name} is no agno-chat memory; it was left as it is.`,
    { hint: "Name another database." },
  );

export const tooNew = (
  name: string,
  { version, known }: { readonly version: number; readonly known: number },
): AgnoChatError =>
  new AgnoChatError(
    "STORE_TOO_NEW",
    `The database ${name} has schema ${version}, newer than ${known}; it was left as it is.`,
    { hint: "Update agno-chat." },
  );

export const outdated = (
  name: string,
  { version, known }: { readonly version: number; readonly known: number },
): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${name} has schema ${version}, older than ${known}.`,
    { hint: "Let its administrator run: agno-chat store migrate URL" },
  );

export const unsafe = (name: string, owner: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_UNSAFE",
    `Row security does not bind the role ${JSON.stringify(owner)}, which owns the memory in the database ${name}.`,
    { hint: "Let an administrator take SUPERUSER and BYPASSRLS from that role." },
  );

export const noSuchRole = (role: string): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", `There is no role ${JSON.stringify(role)} to let in.`, {
    hint: "Create it first: CREATE ROLE NAME LOGIN PASSWORD '…'",
  });

export const wrongEncoding = (name: string, encoding: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${name} is encoded as ${encoding}, which cannot hold every text.`,
    { hint: "Create one with UTF8: createdb --encoding=UTF8 --template=template0 NAME" },
  );
