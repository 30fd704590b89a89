import { AgnoChatError } from "../../../errors.js";
import { NO_RIGHT, PostgresError } from "./postgres-errors.js";

/** Errors about a database that cannot be used. `name` comes from `nameOf`. */

export const notReady = (name: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${name} has no agno-chat memory, and this role may not create one.`,
    {
      hint: "Let its administrator create one, and grant its use to this role.",
      hintId: "init-store",
      cause: new PostgresError(NO_RIGHT, { isUnknown: false }),
    },
  );

export const missing = (name: string): AgnoChatError =>
  new AgnoChatError("STORE_NOT_READY", `The database ${name} has no agno-chat memory yet.`, {
    hint: "Create one: agno-chat store init URL",
  });

export const foreign = (name: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_FOREIGN",
    `The schema agno_chat of the database ${name} is not an agno-chat memory; ` +
      "it was left unchanged.",
    { hint: "Name another database." },
  );

export const tooNew = (
  name: string,
  { version, known }: { readonly version: number; readonly known: number },
): AgnoChatError =>
  new AgnoChatError(
    "STORE_TOO_NEW",
    `The database ${name} has schema version ${version}, but this agno-chat knows versions up to ` +
      `${known}; it was left unchanged.`,
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
    `Row security does not apply to the role ${JSON.stringify(owner)}, which owns the memory in ` +
      `the database ${name}.`,
    { hint: "Let an administrator remove SUPERUSER and BYPASSRLS from that role." },
  );

export const noSuchRole = (role: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `There is no role ${JSON.stringify(role)} to grant access to.`,
    {
      hint: "Create it first: CREATE ROLE NAME LOGIN PASSWORD '…'",
    },
  );

export const wrongEncoding = (name: string, encoding: string): AgnoChatError =>
  new AgnoChatError(
    "STORE_NOT_READY",
    `The database ${name} has the encoding ${encoding}, which cannot store every text.`,
    { hint: "Create one: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0" },
  );
