/** A function of the calculator, with how many values it takes. */
interface CalculatorFunction {
  readonly apply: (...values: number[]) => number;
  readonly min: number;
  readonly max: number;
}

const takes =
  (min: number, max: number) =>
  (apply: (...values: number[]) => number): CalculatorFunction => ({ apply, min, max });

const one = (apply: (value: number) => number): CalculatorFunction =>
  takes(1, 1)((value = Number.NaN) => apply(value));

const many = takes(1, Number.POSITIVE_INFINITY);

export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
  ["tau", 2 * Math.PI],
]);

export const BINARY: ReadonlyMap<string, (left: number, right: number) => number> = new Map([
  ["+", (left: number, right: number) => left + right],
  ["-", (left: number, right: number) => left - right],
  ["*", (left: number, right: number) => left * right],
  ["/", (left: number, right: number) => left / divisor(right)],
  ["%", (left: number, right: number) => left % divisor(right)],
]);

export const FUNCTIONS: ReadonlyMap<string, CalculatorFunction> = new Map([
  ["group", one((value) => value)],
  ["sqrt", one(Math.sqrt)],
  ["cbrt", one(Math.cbrt)],
  ["abs", one(Math.abs)],
  ["round", one(Math.round)],
  ["floor", one(Math.floor)],
  ["ceil", one(Math.ceil)],
  ["trunc", one(Math.trunc)],
  ["sign", one(Math.sign)],
  ["exp", one(Math.exp)],
  ["ln", one(Math.log)],
  ["log2", one(Math.log2)],
  ["log10", one(Math.log10)],
  ["sin", one(Math.sin)],
  ["cos", one(Math.cos)],
  ["tan", one(Math.tan)],
  ["asin", one(Math.asin)],
  ["acos", one(Math.acos)],
  ["atan", one(Math.atan)],
  ["radians", one((degrees) => (degrees * Math.PI) / 180)],
  ["degrees", one((radians) => (radians * 180) / Math.PI)],
  ["factorial", one(factorial)],
  ["pow", takes(2, 2)((base = Number.NaN, exponent = Number.NaN) => base ** exponent)],
  ["min", many(Math.min)],
  ["max", many(Math.max)],
]);

/** The largest factorial a double can hold. */
const MAX_FACTORIAL = 170;

function factorial(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > MAX_FACTORIAL)
    throw new Error(`factorial takes a whole number from 0 to ${MAX_FACTORIAL}.`);
  let product = 1;
  for (let factor = 2; factor <= value; factor++) product *= factor;
  return product;
}

function divisor(value: number): number {
  if (value === 0) throw new Error("A number cannot be divided by zero.");
  return value;
}
