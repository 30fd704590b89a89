import type jsep from "jsep";
import { BINARY, CONSTANTS, FUNCTIONS } from "./vocabulary.js";

/** Keeps recursion, the parser's and ours, within the stack. */
const MAX_LENGTH = 1_000;

/** Decimal digits that every double preserves. */
const PRECISION = 15;

/**
 * Evaluates an expression and returns the result as text. Only the names in `vocabulary.ts` can be
 * used, each step takes constant time, and nothing can be assigned: no expression runs code or
 * hangs.
 * @throws {Error} that says what is wrong with the expression
 */
export async function evaluate(expression: string): Promise<string> {
  if (expression.length > MAX_LENGTH)
    throw new Error(`The expression is longer than ${MAX_LENGTH} characters.`);
  const { default: parse } = await import("jsep");
  return numberText(compute(parseTree(parse, expression)));
}

/** jsep counts characters in the rewritten text, so its "at character 7" would mislead. */
function parseTree(parse: (text: string) => jsep.Expression, expression: string): jsep.Expression {
  try {
    return parse(toJsep(expression));
  } catch (cause) {
    const why = String((cause as Error).message).replace(/ at character \d+$/u, "");
    throw new Error(`The expression cannot be read: ${why}.`, { cause });
  }
}

/**
 * Rewrites an expression into the JavaScript syntax that jsep parses. Brackets become calls of
 * `group`: jsep drops them and binds a sign closer than a power, so -2^2 and (-2)^2 would look the
 * same.
 */
const toJsep = (expression: string): string =>
  expression
    .replace(/[×·]/gu, "*")
    .replace(/÷/gu, "/")
    .replace(/[−–]/gu, "-")
    .replace(/π/gu, "pi")
    .replace(/\^/gu, "**")
    .replace(/^\P{L}*$/u, withoutThousands)
    .replace(/(?<![\p{L}\p{N}_]\s*)\(/gu, "group(");

/** Removes thousands separators. Only used without function calls: max(1,234) has two values. */
const withoutThousands = (expression: string): string =>
  expression.replace(/(?<=\d),(?=\d{3}(?!\d))/gu, "");

function compute(node: jsep.Expression): number {
  switch (node.type) {
    case "Literal":
      return literal(node as jsep.Literal);
    case "Identifier":
      return lookUp(CONSTANTS, (node as jsep.Identifier).name);
    case "UnaryExpression":
      return unary(node as jsep.UnaryExpression);
    case "BinaryExpression":
      return binary(node as jsep.BinaryExpression);
    case "CallExpression":
      return call(node as jsep.CallExpression);
    default:
      throw new Error("The expression is not complete, or holds more than numbers and operators.");
  }
}

function literal({ value, raw }: jsep.Literal): number {
  if (typeof value === "number") return value;
  throw new Error(`${raw} is not a number.`);
}

function unary({ operator, argument }: jsep.UnaryExpression): number {
  const sign = signOf(operator);
  return sign * compute(argument);
}

function binary({ operator, left, right }: jsep.BinaryExpression): number {
  if (operator === "**") return power(left, right);
  return lookUp(BINARY, operator)(compute(left), compute(right));
}

function power(base: jsep.Expression, exponent: jsep.Expression): number {
  if (base.type !== "UnaryExpression") return compute(base) ** compute(exponent);
  const { operator, argument } = base as jsep.UnaryExpression;
  return signOf(operator) * power(argument, exponent);
}

function call({ callee, arguments: args }: jsep.CallExpression): number {
  if (callee.type !== "Identifier") throw new Error("Only a named function can be called.");
  const { name } = callee as jsep.Identifier;
  const { apply, min, max } = lookUp(FUNCTIONS, name);
  if (args.length < min || args.length > max)
    throw new Error(`${name} does not take ${args.length} values.`);
  return apply(...args.map(compute));
}

function signOf(operator: string): number {
  if (operator === "-") return -1;
  if (operator === "+") return 1;
  throw new Error(`The calculator does not know ${operator}.`);
}

function lookUp<Value>(words: ReadonlyMap<string, Value>, word: string): Value {
  const value = words.get(word.toLowerCase());
  if (value !== undefined) return value;
  throw new Error(`The calculator does not know ${word}.`);
}

/** Rounds away the noise of binary fractions. Says "about" for integers too large to be exact. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new Error("The result is not a finite number.");
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return `about ${value}`;
  // The sum turns -0 into 0.
  return String(Number(value.toPrecision(PRECISION)) + 0);
}
