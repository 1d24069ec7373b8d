/** What every suite shares: TypeScript through swc as ES modules, one clear name per suite. */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.millrace/', '<rootDir>/.nx/'],
};

/** Suites that share one Postgres, started for the whole run; each makes its own databases on it. */
const onPostgres = {
  ...shared,
  globalSetup: '@millrace/testing/jest-global-setup',
  globalTeardown: '@millrace/testing/jest-global-teardown',
};

/**
 * `*.spec.ts` is pure; `*.int.spec.ts` needs a real part (Postgres, DuckDB, a folder); `*.e2e.spec.ts` the whole.
 * What is deployed (Dockerfile, compose, Kubernetes) is compared with the code, and rendered by `kubectl`.
 */
export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{libs,apps,tools}/**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.int\\.spec\\.ts$'],
    },
    { ...shared, displayName: 'deployment', testMatch: ['<rootDir>/tests/{containers,k8s}/**/*.spec.ts'] },
    { ...onPostgres, displayName: 'integration', testMatch: ['<rootDir>/{libs,apps}/**/*.int.spec.ts'] },
    { ...onPostgres, displayName: 'e2e', testMatch: ['<rootDir>/tests/e2e/**/*.e2e.spec.ts'] },
    {
      ...onPostgres,
      displayName: 'e2e-separate',
      testMatch: ['<rootDir>/tests/e2e/**/*.e2e.spec.ts'],
      // What is about `npm start` itself, its folder, its one page of metrics, its log, or the tests' own tools.
      testPathIgnorePatterns: [
        '/(standalone|standalone-routes|results-unstorable|kill|postgres-loss|store-away|store-comparison|attacks-ordinary-user|bench|metrics|traces-logged)\\.e2e',
      ],
      globals: { MILLRACE_SHAPE: 'separate' },
    },
    { ...onPostgres, displayName: 'chaos', testMatch: ['<rootDir>/tests/chaos/**/*.chaos.spec.ts'] },
  ],
  testTimeout: 60_000,
};
