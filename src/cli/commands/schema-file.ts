import { AgnoChatError } from "../../errors.js";
import { isObject, parseJson } from "../../json.js";
import type { JsonSchema } from "../../models/model.js";
import { readNamedFile } from "../named-file.js";
import { unreadableFile } from "../unreadable-file.js";

/**
 * The JSON Schema in a file.
 * @throws {AgnoChatError} `FILE_UNREADABLE`, or `USAGE` if there is none in it that is valid
 */
export async function schemaIn(path: string, signal: AbortSignal): Promise<JsonSchema> {
  const schema = parseJson(await textOf(path, signal));
  const name = JSON.stringify(path);
  if (!isObject(schema))
    throw new AgnoChatError("USAGE", `The file ${name} holds no JSON object.`, {
      hint: 'A JSON Schema is one, such as {"type": "object", "properties": {…}}.',
    });
  const { ReplySchema } = await import("../../agent/reply-schema.js");
  await ReplySchema.of(schema);
  return schema;
}

async function textOf(path: string, signal: AbortSignal): Promise<string> {
  try {
    return (await readNamedFile(path, signal)).toString("utf8").replace(/^\ufeff/, "");
  } catch (cause) {
    throw unreadableFile(`the JSON Schema ${JSON.stringify(path)}`, cause);
  }
}
