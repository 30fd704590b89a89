import { evaluate } from "./calculator/evaluate.js";
import { defineTool } from "./define-tool.js";
import type { Toolkit } from "./tool.js";

/** Toolkit `calculator`: one tool, `calculate`. */
export const calculator = (): Toolkit => ({ name: "calculator", tools: [calculate] });

const calculate = defineTool<{ readonly expression: string }>({
  name: "calculate",
  description:
    "Calculates an expression of numbers, + - * / % ^ and brackets, the constants pi, e and tau, " +
    "and the functions sqrt, cbrt, abs, round, floor, ceil, trunc, sign, min, max, pow, exp, ln, " +
    "log2, log10, sin, cos, tan, asin, acos, atan, radians, degrees, factorial. " +
    "Angles are in radians. Returns the number.",
  parameters: {
    type: "object",
    properties: {
      expression: { type: "string", minLength: 1, description: "For example (2 + 3) * sqrt(16)" },
    },
    required: ["expression"],
    additionalProperties: false,
  },
  execute: ({ expression }) => evaluate(expression),
});
