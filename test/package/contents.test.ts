import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from './consumer.ts';

const execute = promisify(execFile);

/** What a module imports, by its text: of relative modules and packages alike. */
function importsOf(text: string): string[] {
  return Array.from(
    text.matchAll(/(?:^|;|\s)(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g),
    ([, name]) => name ?? '',
  )
    .concat(Array.from(text.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g), ([, name]) => name ?? ''))
    .concat(Array.from(text.matchAll(/(?<![.\w])require\s*\(\s*['"]([^'"]+)['"]/g), ([, name]) => name ?? ''));
}

describe('the tarball', () => {
  let files: string[];

  beforeAll(async () => {
    const { stdout } = await execute('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const answer = JSON.parse(stdout);
    // npm up to 11 lists packages, later ones key them by name.
    const [packed] = (Array.isArray(answer) ? answer : Object.values(answer)) as { files: { path: string }[] }[];
    files = packed?.files.map(({ path }) => path) ?? [];
  });

  test('holds the compiled code with its types, and the papers', () => {
    const others = files.filter((file) => !/^dist\/.*\.(?:js|d\.ts)$/.test(file));
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
  });

  test('holds a module for each declaration and the reverse', () => {
    const modules = files.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -'.js'.length));
    const declarations = files.filter((file) => file.endsWith('.d.ts')).map((file) => file.slice(0, -'.d.ts'.length));
    expect(modules.length).toBeGreaterThan(10);
    expect(modules.sort()).toEqual(declarations.sort());
  });
});

describe('what is shipped', () => {
  const imports = new Map<string, string[]>();

  beforeAll(async () => {
    const entries = await readdir(join(root, 'dist'), { recursive: true });
    for (const file of entries.filter((entry) => entry.endsWith('.js'))) {
      imports.set(file.replaceAll('\\', '/'), importsOf(await readFile(join(root, 'dist', file), 'utf8')));
    }
  });

  const imported = (): string[] => [...new Set([...imports.values()].flat())];

  test('needs exactly eventemitter3 and tslib at run time, and says so', async () => {
    const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    );
    const packages = imported().filter((name) => !name.startsWith('.') && !name.startsWith('node:'));
    expect(packages.sort()).toEqual(['eventemitter3', 'tslib']);
    expect(Object.keys(dependencies).sort()).toEqual(['eventemitter3', 'tslib']);
    expect([peerDependencies, optionalDependencies]).toEqual([undefined, undefined]);
  });

  test('tells bundlers that importing it does nothing by itself', async () => {
    const { sideEffects, type, exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect([sideEffects, type, Object.keys(exports)]).toEqual([false, 'module', ['.', './node', './package.json']]);
  });

  test('imports Node nowhere but in its adapters', () => {
    const withNode = [...imports].filter(([, names]) => names.some((name) => name.startsWith('node:')));
    expect(withNode.length).toBeGreaterThan(0);
    expect(withNode.map(([file]) => file).filter((file) => !file.startsWith('node/'))).toEqual([]);
  });

  test('has a core that reaches no adapter', () => {
    const reached = new Set<string>();
    const follow = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const name of imports.get(file) ?? []) {
        if (name.startsWith('.')) follow(new URL(name, `file:///${file}`).pathname.slice(1));
      }
    };
    follow('index.js');
    expect(reached.size).toBeGreaterThan(10);
    expect([...reached].filter((file) => file.startsWith('node/') || !imports.has(file))).toEqual([]);
  });

  test('imports only what exists', () => {
    const missing = [...imports].flatMap(([file, names]) => {
      const relative = names.filter((name) => name.startsWith('.'));
      return relative.filter((name) => !imports.has(new URL(name, `file:///${file}`).pathname.slice(1)));
    });
    expect(missing).toEqual([]);
  });
});
