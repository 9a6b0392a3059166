import { EventEmitter } from 'eventemitter3';
import { EvenkeelError } from './errors.ts';

// biome-ignore lint/suspicious/noExplicitAny: what eventemitter3 keeps are listeners of any event
type AnyListener = (...args: any[]) => void;

/** eventemitter3 with plain signatures, which a generic subclass can refine. */
interface PlainEmitter {
  on(event: string, listener: AnyListener): this;
  once(event: string, listener: AnyListener): this;
  off(event: string, listener: AnyListener): this;
  removeListener(event: string, listener: AnyListener): this;
  emit(event: string, ...args: unknown[]): boolean;
  listeners(event: string): AnyListener[];
  listenerCount(event: string): number;
  removeAllListeners(event?: string): this;
}

const PlainEmitter: new () => PlainEmitter = EventEmitter;

/** An event map: the name of each event and the arguments its listeners get. */
export type EventMap<Events> = { [Name in keyof Events]: unknown[] };

/** The event that every evenkeel emitter has beside its own. */
export interface ListenerErrorEvent {
  /**
   * A listener threw: `error.cause` is what it threw. Where nobody listens to this event, the error surfaces as an
   * uncaught exception, as with an `EventTarget`.
   */
  'listener-error': [error: EvenkeelError];
}

/** Stands in for a listener that was added by `once`. */
interface OnceListener extends AnyListener {
  listener?: AnyListener;
}

/**
 * Typed events on eventemitter3, with three guarantees that state machines need: a listener that throws disturbs neither the
 * caller nor the other listeners; all listeners hear of an event before anybody hears of one that a listener caused; and the
 * events of an atomic change are told once the change is complete (`hold`).
 */
export class Emitter<Events extends EventMap<Events>> extends PlainEmitter {
  readonly #queue: { event: string; args: unknown[] }[] = [];
  #holds = 0;
  #isTelling = false;

  override on<Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): this {
    return super.on(event, listener);
  }

  override once<Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): this {
    const first: OnceListener = (...args) => {
      super.off(event, first);
      (listener as AnyListener)(...args);
    };
    first.listener = listener;
    return super.on(event, first);
  }

  override off<Name extends keyof Events & string>(event: Name, listener: (...args: Events[Name]) => void): this {
    for (const each of this.listeners(event) as OnceListener[]) {
      if (each === listener || each.listener === listener) super.off(event, each);
    }
    return this;
  }

  override removeListener<Name extends keyof Events & string>(
    event: Name,
    listener: (...args: Events[Name]) => void,
  ): this {
    return this.off(event, listener);
  }

  override emit<Name extends keyof Events & string>(event: Name, ...args: Events[Name]): boolean {
    const isHeard = this.listenerCount(event) > 0;
    if (isHeard || this.#holds > 0 || this.#isTelling) {
      this.#queue.push({ event, args });
      this.#tellAll();
    }
    return isHeard;
  }

  /** @internal keeps events back until the returned handle (or the last of several) is disposed, then tells them in order. */
  hold(): Disposable {
    this.#holds++;
    let holding = true;
    return {
      [Symbol.dispose]: () => {
        if (!holding) return;
        holding = false;
        this.#holds--;
        this.#tellAll();
      },
    };
  }

  #tellAll(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#holds === 0) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#tell(next.event, next.args);
    }
    this.#isTelling = false;
  }

  #tell(event: string, args: unknown[]): boolean {
    const listeners = this.listeners(event);
    for (const listener of listeners) {
      try {
        listener(...args);
      } catch (cause) {
        this.#blame(event, cause);
      }
    }
    return listeners.length > 0;
  }

  #blame(event: string, cause: unknown): void {
    const error = new EvenkeelError('ERR_EVENKEEL_LISTENER', `a listener of '${event}' threw`, { cause });
    if (event !== 'listener-error' && this.#tell('listener-error', [error])) return;
    queueMicrotask(() => {
      throw error;
    });
  }
}
