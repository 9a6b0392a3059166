import { createVip } from 'evenkeel';
import { listen } from 'evenkeel/node';
import { serve } from './serve.mjs';

const ours = { 'X-Forwarded-For': true, 'X-Forwarded-Port': true, 'X-Forwarded-Proto': true, Forwarded: true };

serve(async ({ member, inserts }) => {
  const vip = createVip({
    address: '127.0.0.1',
    port: 0,
    protocol: 'http',
    ...(inserts && { insertHeaders: ours }),
    pool: { members: [`${member.host}:${member.port}`] },
  });
  const listener = await listen(vip);
  return { port: listener.address.port, close: () => listener.close({ deadline: 0 }) };
});
