import { check } from '../failure.ts';
import { values } from '../message.ts';
import { exchange, get } from '../plays.ts';
import type { Group, Row } from '../row.ts';
import type { Stage } from '../stage.ts';

const spoofed = '198.51.100.7';

function replaced(name: string, spoof: string, ours: (stage: Stage) => string): Row {
  return {
    id: `replaced-${name.toLowerCase()}`,
    needs: 'insertion',
    title: `\`${name}\` of a client is replaced`,
    run: async (stage) => {
      const { request } = await exchange(stage, get(`${name}: ${spoof}`, `${name.toLowerCase()}: ${spoof}`));
      const arrived = values(request.fields, name);
      check(!arrived.join().includes(spoof), `arrives as ${arrived.join()}`);
      if (stage.isExact) check(arrived.join('|') === ours(stage), `arrives as ${arrived.join('|')}`);
    },
  };
}

export const forwarding: Group = {
  title: 'What a client claims about itself',
  note: 'Nobody has told the proxy to trust this client. Appending to what it claims leaves its claim in place.',
  rows: [
    replaced('X-Forwarded-For', spoofed, () => '127.0.0.1'),
    replaced('X-Forwarded-Port', '8443', ({ proxy }) => String(proxy.place.port)),
    replaced('X-Forwarded-Proto', 'https', () => 'http'),
    {
      id: 'replaced-forwarded',
      needs: 'insertion',
      title: '`Forwarded` of a client is replaced',
      run: async (stage) => {
        const { request } = await exchange(stage, get(`Forwarded: for=${spoofed}`));
        const arrived = values(request.fields, 'forwarded').join('|');
        check(!arrived.includes(spoofed), `arrives as ${arrived}`);
        if (stage.isExact) check(/^for="?127\.0\.0\.1"?(?:;[^,|]*)?$/.test(arrived), `arrives as ${arrived}`);
      },
    },
    {
      id: 'claims-dropped',
      title: 'Where the proxy adds none, those of a client do not reach the member either',
      run: async (stage) => {
        const names = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'Forwarded'];
        const { request } = await exchange(stage, get(...names.map((name) => `${name}: for=${spoofed}`)));
        const arrived = names.filter((name) => values(request.fields, name).join().includes(spoofed));
        check(arrived.length === 0, `passed on: ${arrived.join(', ')}`);
      },
    },
  ],
};
