import type { NewAttachment } from "../../attachments.js";

/** A message that begins a chat, as if it had been typed. */
export interface FirstMessage {
  readonly text: string;
  readonly attachments: readonly NewAttachment[];
}
