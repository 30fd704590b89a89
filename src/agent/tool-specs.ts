import type { ToolSpec } from "../models/model.js";
import type { ToolTable } from "../tools/call-tool.js";
import { frozen } from "./frozen.js";

/** The tools as a model is told of them: a frozen copy, since one list serves every user. Undefined when there are none. */
export function specsOf(tools: ToolTable): readonly ToolSpec[] | undefined {
  if (tools.size === 0) return undefined;
  const specs = [...tools.values()].map(({ name, description, parameters }) => ({
    name,
    description,
    parameters: structuredClone(parameters),
  }));
  return frozen(specs);
}
