import { describe, expect, test } from 'vitest';
import { Emitter, type ListenerErrorEvent } from '../../src/core/emitter.ts';
import type { EvenkeelError } from '../../src/core/errors.ts';

interface Events extends ListenerErrorEvent {
  ping: [number];
  pong: [number];
}

/** An emitter and a note of what its listeners heard. */
function noted() {
  const emitter = new Emitter<Events>();
  const heard: string[] = [];
  const note = (name: string) => (number: number) => void heard.push(`${name} ${number}`);
  return { emitter, heard, note };
}

const bad = (): void => {
  throw new Error('a bug in a listener');
};

describe('a listener', () => {
  test('hears what is emitted', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('a'));
    emitter.emit('ping', 1);
    expect(heard).toEqual(['a 1']);
  });

  test('hears events in the order of their listeners', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('a')).on('ping', note('b'));
    emitter.emit('ping', 1);
    expect(heard).toEqual(['a 1', 'b 1']);
  });

  test('hears nothing of other events', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('a'));
    emitter.emit('pong', 1);
    expect(heard).toEqual([]);
  });

  test('hears nothing any more once it was taken off', () => {
    const { emitter, heard, note } = noted();
    const listener = note('a');
    emitter.on('ping', listener).off('ping', listener);
    emitter.emit('ping', 1);
    expect(heard).toEqual([]);
  });

  test('added by once hears one event', () => {
    const { emitter, heard, note } = noted();
    emitter.once('ping', note('a'));
    emitter.emit('ping', 1);
    emitter.emit('ping', 2);
    expect(heard).toEqual(['a 1']);
  });

  test('added by once hears one event even if it emits the next itself', () => {
    const { emitter, heard } = noted();
    emitter.once('ping', (number) => {
      heard.push(`a ${number}`);
      if (number < 5) emitter.emit('ping', number + 1);
    });
    emitter.emit('ping', 1);
    expect(heard).toEqual(['a 1']);
  });

  test('added by once can be taken off', () => {
    const { emitter, heard, note } = noted();
    const listener = note('a');
    emitter.once('ping', listener).off('ping', listener);
    emitter.emit('ping', 1);
    expect(heard).toEqual([]);
  });

  test('added by once to two events can be taken off one of them', () => {
    const { emitter, heard, note } = noted();
    const listener = note('a');
    emitter.once('ping', listener).once('pong', listener).off('ping', listener);
    emitter.emit('ping', 1);
    emitter.emit('pong', 2);
    expect(heard).toEqual(['a 2']);
  });

  test('can be taken off by removeListener, too', () => {
    const { emitter, heard, note } = noted();
    const listener = note('a');
    emitter.once('ping', listener).removeListener('ping', listener);
    emitter.emit('ping', 1);
    expect(heard).toEqual([]);
  });

  test('that is taken off while an event is told does not spoil it for the others', () => {
    const { emitter, heard, note } = noted();
    const b = note('b');
    emitter.on('ping', () => void emitter.off('ping', b));
    emitter.on('ping', b).on('ping', note('c'));
    emitter.emit('ping', 1);
    expect(heard).toContain('c 1');
  });
});

test('emit says whether anybody listens', () => {
  const { emitter, note } = noted();
  emitter.on('ping', note('a'));
  expect([emitter.emit('ping', 1), emitter.emit('pong', 1)]).toEqual([true, false]);
});

describe('a listener that throws', () => {
  test('does not disturb who emits', () => {
    const { emitter } = noted();
    emitter.on('listener-error', () => {});
    emitter.on('ping', bad);
    expect(emitter.emit('ping', 1)).toBe(true);
  });

  test('does not keep the event from the others', () => {
    const { emitter, heard, note } = noted();
    emitter.on('listener-error', () => {});
    emitter.on('ping', bad).on('ping', note('b'));
    emitter.emit('ping', 1);
    expect(heard).toEqual(['b 1']);
  });

  test('is reported with what it threw', () => {
    const { emitter } = noted();
    const errors: EvenkeelError[] = [];
    emitter.on('listener-error', (error) => errors.push(error));
    emitter.on('ping', bad);
    emitter.emit('ping', 1);
    expect(errors.map(({ code, message, cause }) => [code, message, (cause as Error).message])).toEqual([
      ['ERR_EVENKEEL_LISTENER', "a listener of 'ping' threw", 'a bug in a listener'],
    ]);
  });

  test('is reported once for each time that it throws', () => {
    const { emitter } = noted();
    let errors = 0;
    emitter.on('listener-error', () => void errors++);
    emitter.on('ping', bad).on('ping', bad);
    emitter.emit('ping', 1);
    expect(errors).toBe(2);
  });
});

describe('events that are held', () => {
  test('are told when the hold ends', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('a'));
    const hold = emitter.hold();
    emitter.emit('ping', 1);
    const before = [...heard];
    hold[Symbol.dispose]();
    expect([before, heard]).toEqual([[], ['a 1']]);
  });

  test('are told in the order in which they came', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('ping')).on('pong', note('pong'));
    const hold = emitter.hold();
    emitter.emit('ping', 1);
    emitter.emit('pong', 2);
    emitter.emit('ping', 3);
    hold[Symbol.dispose]();
    expect(heard).toEqual(['ping 1', 'pong 2', 'ping 3']);
  });

  test('wait for the last of several holds', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('a'));
    const outer = emitter.hold();
    const inner = emitter.hold();
    emitter.emit('ping', 1);
    outer[Symbol.dispose]();
    const before = [...heard];
    inner[Symbol.dispose]();
    expect([before, heard]).toEqual([[], ['a 1']]);
  });

  test('are not told early by a hold that is ended twice', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', note('a'));
    const first = emitter.hold();
    emitter.hold();
    emitter.emit('ping', 1);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(heard).toEqual([]);
  });

  test('are told before those that their listeners cause', () => {
    const { emitter, heard, note } = noted();
    emitter.on('ping', (number) => void (number === 1 && emitter.emit('pong', 10)));
    emitter.on('ping', note('ping')).on('pong', note('pong'));
    const hold = emitter.hold();
    emitter.emit('ping', 1);
    emitter.emit('ping', 2);
    hold[Symbol.dispose]();
    expect(heard).toEqual(['ping 1', 'ping 2', 'pong 10']);
  });

  test('are all told even if a listener throws', () => {
    const { emitter, heard, note } = noted();
    emitter.on('listener-error', () => {});
    emitter.on('ping', bad).on('pong', note('pong'));
    const hold = emitter.hold();
    emitter.emit('ping', 1);
    emitter.emit('pong', 2);
    hold[Symbol.dispose]();
    expect(heard).toEqual(['pong 2']);
  });
});
