/**
 * The demo: real backend processes behind a virtual IP, real clients all the time, and in a few seconds what happens to a service
 * in a year: a backend is killed and comes back, another joins, some are drained. Told twice, over TCP and over HTTP. No client may
 * fail. Run it with `npm run demo`.
 */
import { httpStory } from './demo/http-story.ts';
import { Screen } from './demo/screen.ts';
import { Stage } from './demo/stage.ts';
import { tcpStory } from './demo/tcp-story.ts';

// Ctrl-C ends a story early; what `using` holds is given back on the way out, the backend processes above all.
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
try {
  using screen = new Screen(process.stdout);
  const stage = new Stage(screen, interrupt.signal);
  for (const story of [tcpStory, httpStory]) if (!(await story(stage))) process.exitCode = 1;
} catch (error) {
  if (!interrupt.signal.aborted) throw error;
  process.exitCode = 130;
}
