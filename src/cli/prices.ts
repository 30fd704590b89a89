import { resolve } from "node:path";
import type { Price, PriceOf } from "../data/history-sum.js";
import { AgnoChatError } from "../errors.js";
import { isObject, parseJson } from "../json.js";
import { systemReason } from "../system-errors.js";
import type { Context } from "./command-context.js";
import { readNamedFile } from "./named-file.js";

/** What models cost. */
export interface Prices {
  /** Such as USD. */
  readonly currency: string;
  readonly of: PriceOf;
}

/**
 * The price table that the setting `prices` names; undefined without one. A relative path in the
 * settings file begins at the home folder.
 * @throws {AgnoChatError} `CONFIG_INVALID`
 */
export async function pricesOf({ settings, home, signal }: Context): Promise<Prices | undefined> {
  const { prices } = settings.values;
  if (prices === undefined) return undefined;
  const isOfFile = settings.origins.prices === "settings file";
  const path = isOfFile && home !== undefined ? resolve(home, prices) : resolve(prices);
  return parsed(await textOf(path, signal), path);
}

async function textOf(path: string, signal: AbortSignal): Promise<string> {
  try {
    return (await readNamedFile(path, signal)).toString("utf8");
  } catch (cause) {
    signal.throwIfAborted();
    throw unusable(path, `cannot be read: ${systemReason(cause) ?? "unknown reason"}`);
  }
}

function parsed(text: string, path: string): Prices {
  const table = parseJson(text);
  if (!isObject(table)) throw unusable(path, "is not a JSON object");
  const { currency, models } = table;
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency))
    throw unusable(path, "names no currency such as USD");
  if (!isObject(models)) throw unusable(path, "has no models");
  const prices = new Map(
    Object.entries(models).map(([model, price]): [string, Price] => {
      if (!isPrice(price))
        throw unusable(path, `gives ${JSON.stringify(model)} no input and output price`);
      return [model, { input: price.input, output: price.output }];
    }),
  );
  return { currency, of: (model) => prices.get(model) };
}

const isPrice = (value: unknown): value is Price =>
  isObject(value) && [value.input, value.output].every(isAmount);

const isAmount = (value: unknown): boolean =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;

const unusable = (path: string, why: string): AgnoChatError =>
  new AgnoChatError("CONFIG_INVALID", `The price table ${JSON.stringify(path)} ${why}.`, {
    hint: 'Prices are per million tokens: {"currency": "USD", "models": {"NAME": {"input": 1, "output": 4}}}',
  });
