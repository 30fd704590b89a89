import type { NewAttachment } from "../../attachments.js";
import type { UserId } from "../../ids.js";

/** The files that wait for the next message of the user who attached them. */
export class WaitingFiles {
  readonly #byUser = new Map<UserId, readonly NewAttachment[]>();

  of(userId: UserId): readonly NewAttachment[] {
    return this.#byUser.get(userId) ?? [];
  }

  add(userId: UserId, file: NewAttachment): void {
    this.#byUser.set(userId, [...this.of(userId), file]);
  }

  /** Returns them, and forgets them. */
  take(userId: UserId): readonly NewAttachment[] {
    const files = this.of(userId);
    this.#byUser.delete(userId);
    return files;
  }
}
