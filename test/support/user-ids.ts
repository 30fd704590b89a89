import { validateUserId } from "../../src/ids.js";

export function isUserId(text: string): boolean {
  try {
    return validateUserId(text) === text;
  } catch {
    return false;
  }
}
