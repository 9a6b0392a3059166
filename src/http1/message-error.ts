/** Why a message was refused. Nothing after it on its connection can be trusted. */
export class MessageError {
  /** What to answer a client that sent it; to a member's answer there is no answer, its client gets 502. */
  readonly status: number;
  /** In words, for people. */
  readonly reason: string;

  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}
