import { AgnoChatError, type ErrorCode } from "../../errors.js";

export interface FaultOptions {
  /** The field that is at fault. */
  readonly param: string;
  readonly hint?: string;
  /** Default: `INVALID_INPUT`. */
  readonly code?: ErrorCode;
  /** What OpenAI calls it, for clients that know that. Default: made of `code`. */
  readonly openAiCode?: string;
}

/** A field of a request that cannot be used. */
export class RequestFault extends AgnoChatError {
  readonly param: string;
  readonly openAiCode: string | undefined;

  constructor(message: string, { param, hint, code = "INVALID_INPUT", openAiCode }: FaultOptions) {
    super(code, message, { hint });
    this.param = param;
    this.openAiCode = openAiCode;
  }
}
