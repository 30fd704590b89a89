import { AgnoChatError } from "../../errors.js";
import type { Io } from "../io.js";

/**
 * Replaces every `${NAME}` by that environment variable. Names consist of capitals, digits and `_`;
 * `$${NAME}` gives a literal `${NAME}`.
 * @throws {AgnoChatError} `USAGE` for a variable that is not set
 */
export const expandVariables = (text: string, env: Io["env"]): string =>
  text.replace(/(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g, (whole, dollar: string, name: string) => {
    if (dollar !== "") return whole.slice(1);
    const value = env[name];
    if (value !== undefined) return value;
    throw new AgnoChatError("USAGE", `The environment variable ${name} is not set.`, {
      hint: `Set it, or write $\${${name}} for the literal text.`,
    });
  });
