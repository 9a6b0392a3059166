import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { InconclusiveError, type Probe, SpecError } from '../../src/index.ts';
import { httpProbe, httpsProbe } from '../../src/node/index.ts';
import { rejectionOf, thrownBy } from '../fixtures/core.ts';
import { Backend, listensOnly, type Service } from '../fixtures/node/backend.ts';
import { certificate } from '../fixtures/node/certificate.ts';
import { check, verdict } from '../fixtures/node/check.ts';
import { closedPort, ownFolder, ownHost } from '../fixtures/node/places.ts';
import { Scene } from '../fixtures/node/scene.ts';
import { soon, until } from '../fixtures/node/until.ts';

/** Answers a request with these words, and closes. */
const says = (answer: string): Service => {
  return (socket) => socket.once('data', () => socket.end(answer, 'latin1'));
};

const fine = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

interface Site extends AsyncDisposable {
  readonly at: string;
  readonly requests: IncomingMessage[];
  /** Requests whose client went away before they were answered. */
  readonly aborted: number;
}

type Page = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server as people write them. */
async function site(page: Page, server: Server = createServer()): Promise<Site> {
  const requests: IncomingMessage[] = [];
  let aborted = 0;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    response.on('close', () => {
      if (!response.writableFinished) aborted++;
    });
    page(request, response);
  });
  const host = ownHost();
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    at: `${host}:${port}`,
    requests,
    get aborted() {
      return aborted;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const secureSite = (page: Page): Promise<Site> => site(page, createSecureServer(certificate));

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the request', () => {
  async function requestOf(probe: Probe, backend: Partial<Parameters<typeof Backend.start>[0]> = {}): Promise<string> {
    let request = '';
    const does: Service = (socket) => {
      socket.on('data', (chunk) => {
        request += chunk.toString('latin1');
      });
      says(fine)(socket, member);
    };
    await using member = await Backend.start({ ...backend, does });
    expect(await verdict(probe, member.at)).toBe('passed');
    return request.replace(String(member.port), 'port');
  }

  test('is GET / in HTTP/1.0, unless the options say otherwise', async () => {
    expect(await requestOf(httpProbe())).toBe(
      'GET / HTTP/1.0\r\nUser-Agent: evenkeel\r\nAccept: */*\r\nConnection: close\r\n\r\n',
    );
  });

  test('is what the options say', async () => {
    const options = { httpMethod: 'HEAD', urlPath: '/a?b=c', httpVersion: 1.1, domainName: 'a.example' } as const;
    expect(await requestOf(httpProbe(options))).toBe(
      'HEAD /a?b=c HTTP/1.1\r\nHost: a.example\r\nUser-Agent: evenkeel\r\nAccept: */*\r\nConnection: close\r\n\r\n',
    );
  });

  for (const httpMethod of ['POST', 'PUT', 'PATCH'] as const) {
    test(`has a body of no bytes with ${httpMethod}`, async () => {
      expect(await requestOf(httpProbe({ httpMethod }))).toContain('\r\nContent-Length: 0\r\n\r\n');
    });
  }

  for (const httpMethod of ['GET', 'HEAD', 'DELETE', 'TRACE', 'OPTIONS', 'CONNECT'] as const) {
    test(`has no body with ${httpMethod}`, async () => {
      expect(await requestOf(httpProbe({ httpMethod }))).toMatch(/Connection: close\r\n\r\n$/);
    });
  }

  const newer = httpProbe({ httpVersion: 1.1 });

  test('asks in HTTP/1.1 for the member’s address where no domain name is given', async () => {
    expect(await requestOf(newer)).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: 127\.\d+\.\d+\.\d+:port\r\n/);
  });

  test('asks an IPv6 member for its address in brackets', async () => {
    expect(await requestOf(newer, { host: '::1' })).toContain('\r\nHost: [::1]:port\r\n');
  });

  test('asks a member on a Unix socket for localhost', async () => {
    await using folder = await ownFolder();
    expect(await requestOf(newer, { path: folder.socket('member') })).toContain('\r\nHost: localhost\r\n');
  });
});

describe('a member that answers', () => {
  const notHttp = 'the answer is not HTTP';
  const long = 'x'.repeat(8192);
  for (const [name, answer, found] of [
    ['200', fine, 'passed'],
    ['in HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n', 'passed'],
    ['without a reason', 'HTTP/1.1 200\r\n\r\n', 'passed'],
    ['with an empty reason', 'HTTP/1.1 200 \r\n\r\n', 'passed'],
    ['with its status line only', 'HTTP/1.1 200 OK\r\n', 'passed'],
    ['with a reason in another script', 'HTTP/1.1 200 \xe4\xb8\xad\r\n\r\n', 'passed'],
    ['503', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', 'answered 503, expected 200'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n', 'answered 302, expected 200'],
    ['something interim first', `HTTP/1.1 100 Continue\r\n\r\n${fine}`, 'answered 100, expected 200'],
    ['a code that there is not', 'HTTP/1.1 999 Odd\r\n\r\n', 'answered 999, expected 200'],
    ['nothing and closes', '', 'closed without an answer'],
    ['half a status line and closes', 'HTTP/1.1 200', 'closed within the status line'],
    ['as SSH does', 'SSH-2.0-OpenSSH_9.2\r\n', notHttp],
    ['with a line end before everything', `\r\n${fine}`, notHttp],
    ['in HTTP/0.9', '<html></html>', notHttp],
    ['in HTTP/2', 'HTTP/2 200\r\n\r\n', notHttp],
    ['in HTTP/2 frames', '\0\0\x12\x04\0\0\0\0\0', notHttp],
    ['in HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', notHttp],
    ['in small letters', 'http/1.1 200 OK\r\n\r\n', notHttp],
    ['with a code of two digits', 'HTTP/1.1 20 OK\r\n\r\n', notHttp],
    ['with a code of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', notHttp],
    ['with a code in words', 'HTTP/1.1 OK\r\n\r\n', notHttp],
    ['with two spaces before the code', 'HTTP/1.1  200 OK\r\n\r\n', notHttp],
    ['with a tab behind the code', 'HTTP/1.1 200\tOK\r\n\r\n', notHttp],
    ['with no CR behind the code', 'HTTP/1.1 200\n\n', notHttp],
    ['with a CR within the line', 'HTTP/1.1 200 O\rK\r\n\r\n', notHttp],
    ['with a line of 8192 bytes', `HTTP/1.1 200 ${long.slice(0, 8192 - 15)}\r\n\r\n`, 'passed'],
    ['with a line of 8193 bytes', `HTTP/1.1 200 ${long.slice(0, 8193 - 15)}\r\n\r\n`, notHttp],
  ] as const) {
    test(`${name}: ${found}`, async () => {
      await using backend = await Backend.start({ does: says(answer) });
      expect(await verdict(httpProbe(), backend.at)).toBe(found);
    });
  }

  test('with a line without end is not listened to for ever', async () => {
    await using backend = await Backend.start({
      does: (socket) => socket.once('data', () => socket.write(`HTTP/1.1 200 ${long}`)),
    });
    expect(await verdict(httpProbe(), backend.at)).toBe(notHttp);
  });

  test('with something that cannot become HTTP is not waited for', async () => {
    await using backend = await Backend.start({ does: (socket) => socket.write('220') });
    expect(await verdict(httpProbe(), backend.at)).toBe(notHttp);
  });

  test('byte by byte is understood', async () => {
    await using backend = await Backend.start({
      does: async (socket) => {
        for (const byte of 'HTTP/1.1 204 No Content\r\n') {
          await new Promise((resolve) => setTimeout(resolve, 1));
          socket.write(byte);
        }
      },
    });
    expect(await verdict(httpProbe({ expectedCodes: '200-204' }), backend.at)).toBe('passed');
  });

  test('before it is asked has answered', async () => {
    await using backend = await Backend.start({ does: (socket) => socket.end('HTTP/1.1 408 Too slow\r\n\r\n') });
    expect(await verdict(httpProbe({ expectedCodes: '408' }), backend.at)).toBe('passed');
  });

  test('with a reset has failed', async () => {
    await using backend = await Backend.start({
      does: (socket) => socket.once('data', () => socket.resetAndDestroy()),
    });
    expect(await verdict(httpProbe(), backend.at)).toBe('read ECONNRESET');
  });
});

test('a reason names the codes as they were written', async () => {
  await using backend = await Backend.start({ does: says('HTTP/1.1 503 No\r\n\r\n') });
  expect(await verdict(httpProbe({ expectedCodes: '200 , 202' }), backend.at)).toBe('answered 503, expected 200 , 202');
  expect(await verdict(httpProbe({ expectedCodes: '200-204' }), backend.at)).toBe('answered 503, expected 200-204');
});

test('a redirect is not followed', async () => {
  await using web = await site((_, response) => response.writeHead(301, { location: '/elsewhere' }).end());
  expect(await verdict(httpProbe({ expectedCodes: '301' }), web.at)).toBe('passed');
  await until(() => web.requests.length >= 1, 'the request');
  expect(web.requests.map(({ url }) => url)).toEqual(['/']);
});

test('a member that nobody can connect to has failed, and says so', async () => {
  expect(await verdict(httpProbe(), closedPort())).toMatch(/^connect ECONNREFUSED /);
  expect(await verdict(httpsProbe(), closedPort())).toMatch(/^connect ECONNREFUSED /);
});

/** Host names lead to these addresses now, or nowhere. */
function resolveTo(answer: Error | readonly string[]): void {
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: object,
    done: (...found: unknown[]) => void,
  ) => {
    if (answer instanceof Error) done(answer);
    else
      done(
        null,
        answer.map((address) => ({ address, family: 4 })),
      );
  }) as typeof dns.lookup);
}

test('a name all of whose addresses fail has failed with what each of them said', async () => {
  const hosts = [ownHost(), ownHost()];
  resolveTo(hosts);
  expect(await verdict(httpProbe(), 'a.example:9')).toBe(
    hosts.map((host) => `connect ECONNREFUSED ${host}:9`).join('; '),
  );
});

test('a failure of this machine says nothing about the member', async () => {
  resolveTo(Object.assign(new Error('out of memory'), { code: 'ENOMEM' }));
  expect(await rejectionOf(check(httpProbe(), 'a.example:9'))).toBeInstanceOf(InconclusiveError);
});

for (const [name, make] of [
  ['httpProbe()', httpProbe],
  ['httpsProbe()', httpsProbe],
] as const) {
  test(`${name} refuses bad options`, () => {
    expect(thrownBy(() => make({ urlPath: 'ready' }))).toBeInstanceOf(SpecError);
    expect(thrownBy(() => make({ delay: 5 } as object))).toBeInstanceOf(SpecError);
  });

  test(`${name} gives up with the signal's reason, and takes its connection along`, async () => {
    await using backend = await Backend.start({ does: listensOnly });
    const stop = new AbortController();
    const reason = new Error('enough');
    const answer = rejectionOf(check(make(), backend.at, stop.signal));
    await until(() => backend.bytesReceived > 0, 'the check has begun');
    stop.abort(reason);
    expect(await answer).toBe(reason);
    await until(() => backend.sockets.size === 0, 'the connection is gone');
  });

  test(`${name} does not begin where the signal has aborted before`, async () => {
    await using backend = await Backend.start();
    expect(await rejectionOf(check(make(), backend.at, AbortSignal.abort('no')))).toBe('no');
    expect(backend.accepted).toBe(0);
  });
}

test('a member that says nothing has failed when the time is over', async () => {
  for (const type of ['http', 'https'] as const) {
    await using backend = await Backend.start({ does: listensOnly });
    const healthMonitor = { type, delay: 100_000, timeout: 50 };
    await using scene = await Scene.open({ members: [backend.at], healthMonitor });
    await until(() => scene.memberStatuses === 'error', 'the member is out');
    expect(scene.pool.members[0]?.statusReason).toBe('no answer within 50 ms');
    await until(() => backend.sockets.size === 0, 'the connection is gone');
  }
});

test('a member on a Unix socket is checked', async () => {
  await using folder = await ownFolder();
  await using backend = await Backend.start({ path: folder.socket('member'), does: says(fine) });
  await using scene = await Scene.open({
    members: [backend.at],
    healthMonitor: { type: 'http', delay: 20, initialHealth: 'down' },
  });
  await until(() => scene.memberStatuses === 'online', 'the member is up');
});

describe('once it knows, a check', () => {
  /** What ends within this test does so for a better reason than that its time is over. */
  function waitsForEver(): void {
    const start = setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((done: () => void, wait: number) => {
      return start(done, wait === 1000 ? 1e9 : wait);
    }) as typeof setTimeout);
  }

  const page = Buffer.alloc(60_000);

  for (const [name, make, open] of [
    ['over HTTP', httpProbe, site],
    ['over HTTPS', httpsProbe, secureSite],
  ] as const) {
    test(`${name} lets the member finish its answer, and goes when it has`, async () => {
      waitsForEver();
      await using web = await open((_, response) => {
        response.write('the first part');
        setTimeout(() => response.end(page), 20);
      });
      expect(await verdict(make(), web.at)).toBe('passed');
      await until(() => web.requests.every(({ socket }) => socket.destroyed), 'the connection is gone');
      expect([web.requests.length, web.aborted]).toEqual([1, 0]);
    });
  }

  test('goes when the member has, one that waits for that', async () => {
    waitsForEver();
    await using backend = await Backend.start({ does: says(fine) });
    expect(await verdict(httpProbe(), backend.at)).toBe('passed');
    await until(() => backend.accepted === 1 && backend.sockets.size === 0, 'the connection is gone');
  });

  /** How the connection ends for a member that does not end it. */
  async function endOf(answers: (socket: Socket) => void): Promise<string> {
    const seen: string[] = [];
    await using backend = await Backend.start({
      does: (socket) => {
        socket.once('data', () => answers(socket));
        socket.on('end', () => seen.push('end'));
        socket.on('error', () => seen.push('reset'));
      },
    });
    await verdict(httpProbe(), backend.at);
    await until(() => seen.length > 0, 'the check goes');
    return seen.join();
  }

  test('leaves a member that does not close', async () => {
    expect(await endOf((socket) => socket.write(fine))).toBe('end');
  });

  test('leaves a member that does not speak HTTP, like a client that is done', async () => {
    waitsForEver();
    expect(await endOf((socket) => socket.write('220 mail.example ESMTP\r\n'))).toBe('end');
  });

  test('leaves a member whose answer has no end, without waiting', async () => {
    waitsForEver();
    const pour = (socket: Socket): void => {
      while (socket.write(page));
      socket.once('drain', () => pour(socket));
    };
    const end = await endOf((socket) => {
      socket.write(fine);
      pour(socket);
    });
    expect(end).toMatch(/end|reset/);
  });
});

describe('a check over HTTPS', () => {
  test('passes where the certificate is of the member’s own making', async () => {
    await using web = await secureSite((_, response) => response.end());
    expect(await verdict(httpsProbe(), web.at)).toBe('passed');
  });

  test('judges the answer as one over HTTP', async () => {
    await using web = await secureSite((_, response) => response.writeHead(503).end());
    expect(await verdict(httpsProbe({ expectedCodes: '200-204' }), web.at)).toBe('answered 503, expected 200-204');
  });

  test('says that a member does not speak TLS', async () => {
    await using backend = await Backend.start({ does: says('HTTP/1.1 400 Bad Request\r\n\r\n') });
    expect(await verdict(httpsProbe(), backend.at)).toMatch(/^TLS: [\w ]+$/);
  });

  test('has failed where the member closes during the handshake', async () => {
    await using backend = await Backend.start({ does: says('') });
    expect(await verdict(httpsProbe(), backend.at)).toMatch(/closed the connection in the TLS handshake/);
  });

  test('has failed where the member closes behind the handshake', async () => {
    await using web = await secureSite(({ socket }) => socket.end());
    expect(await verdict(httpsProbe(), web.at)).toBe('closed without an answer');
  });

  test('is asked of a Unix socket, too', async () => {
    await using folder = await ownFolder();
    const path = folder.socket('member');
    const server = createTlsServer(certificate, (socket) => socket.once('data', () => socket.end(fine)));
    server.listen(path);
    await once(server, 'listening');
    expect(await verdict(httpsProbe(), `unix:${path}`)).toBe('passed');
    server.close();
    await once(server, 'close');
  });

  /** The name that the member is asked for in the handshake. */
  async function nameFor(probe: Probe, host: string): Promise<string | false | null> {
    const server = createTlsServer(certificate);
    const name = new Promise<string | false | null>((resolve) => {
      server.on('secureConnection', (socket: TLSSocket) => {
        socket.once('data', () => {
          resolve(socket.servername);
          socket.end(fine);
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await verdict(probe, `${host}:${(server.address() as AddressInfo).port}`)).toBe('passed');
    server.close();
    return soon(name, 'a handshake');
  }

  const forDomain = httpsProbe({ httpVersion: 1.1, domainName: 'a.evenkeel.test.' });

  test('asks for the domain name, as names are written there', async () => {
    expect(await nameFor(forDomain, '127.0.0.1')).toBe('a.evenkeel.test');
  });

  test('asks for the member’s host name where there is no domain name', async () => {
    expect(await nameFor(httpsProbe(), 'localhost')).toBe('localhost');
  });

  test('asks for no name where the member has an address only', async () => {
    expect(await nameFor(httpsProbe(), '127.0.0.1')).toBe(false);
  });
});

describe('as in Octavia', () => {
  /** `octavia_tempest_plugin/contrib/test_server`: answers with the code that it is asked for. */
  const answersAsAsked: Service = (socket) => {
    socket.once('data', (request) => {
      const code = /[?&]response_code=(\d{3})/.exec(request.toString('latin1'))?.[1] ?? '200';
      socket.end(`HTTP/1.1 ${code} As asked\r\n\r\n${code.startsWith('1') ? fine : ''}`);
    });
  };

  /** `test_hm_op_status_changed_as_expected_on_update` of Octavia's Tempest plugin; each turn changes the status. */
  const turns = [
    ['GET', '101-102', 102, 'online'],
    ['POST', '101-102', 103, 'error'],
    ['GET', '201-204', 202, 'online'],
    ['DELETE', '201-204', 205, 'error'],
    ['GET', '301-302', 302, 'online'],
    ['PUT', '301-302', 303, 'error'],
    ['GET', '400-404', 404, 'online'],
    ['HEAD', '400-404', 405, 'error'],
    ['GET', '500-504', 504, 'online'],
    ['OPTIONS', '500-504', 505, 'error'],
    ['GET', '201-204', 204, 'online'],
    ['PATCH', '201-204', 205, 'error'],
    ['GET', '201-204', 204, 'online'],
    ['CONNECT', '201-204', 205, 'error'],
    ['GET', '201-204', 204, 'online'],
    ['TRACE', '201-204', 205, 'error'],
  ] as const;

  test('every change of an HTTP monitor shows in the members’ statuses', async () => {
    await using m1 = await Backend.start({ does: answersAsAsked });
    await using m2 = await Backend.start({ does: answersAsAsked });
    const often = { type: 'http', delay: 20, timeout: 5000, maxRetries: 2, maxRetriesDown: 2 } as const;
    await using scene = await Scene.open({
      members: [m1.at, m2.at],
      healthMonitor: { ...often, expectedCodes: '599' },
    });
    await until(() => scene.memberStatuses === 'error,error', 'the members are out');
    for (const [httpMethod, expectedCodes, code, status] of turns) {
      const urlPath = `/request?response_code=${code}`;
      scene.pool.update({ healthMonitor: { ...often, httpMethod, expectedCodes, urlPath } });
      const turn = `${httpMethod} ${code} within ${expectedCodes} is ${status}`;
      await until(() => scene.memberStatuses === `${status},${status}`, turn);
      const reason = status === 'online' ? 'check passed' : `answered ${code}, expected ${expectedCodes}`;
      expect(scene.pool.members.map(({ statusReason }) => statusReason)).toEqual([reason, reason]);
    }
    await scene.isAtRest();
    expect(scene.pool.stats).toMatchObject({ totalConnections: 0, connectFailures: 0 });
  });
});

describe('a check that expects a body', () => {
  for (const [name, make, open] of [
    ['http', httpProbe, site],
    ['https', httpsProbe, secureSite],
  ] as const) {
    test(`of type ${name} passes where the body has it, and fails where it has not`, async () => {
      await using member = await open((_, response) => response.end('{"status":"UP"}'));
      expect(await verdict(make({ expectBody: 'UP' }), member.at)).toBe('passed');
      expect(await verdict(make({ expectBody: /"status":"(?:UP|OK)"/ }), member.at)).toBe('passed');
      expect(await verdict(make({ expectBody: 'DOWN' }), member.at)).toBe("the body has no 'DOWN'");
      expect(member.aborted).toBe(0);
    });

    test(`of type ${name} understands a body in chunks`, async () => {
      await using member = await open((_, response) => {
        response.write('all is ');
        setImmediate(() => response.end('well'));
      });
      expect(await verdict(make({ httpVersion: 1.1, expectBody: /all is well$/ }), member.at)).toBe('passed');
    });
  }

  test('does not wait for the end of a body that is too long', async () => {
    await using member = await Backend.start({
      does: (socket) => {
        socket.on('error', () => {}).on('end', () => socket.end());
        socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(100_000)}`));
      },
    });
    expect(await verdict(httpProbe({ expectBody: /y/ }), member.at)).toBe('the body does not match /y/');
    await until(() => member.sockets.size === 0, 'the check goes');
  });
});
