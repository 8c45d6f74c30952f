// What electron-builder makes a package of, for Linux, macOS and Windows. test/desktop/package.test.ts holds it to docs/security.md.

/** Of the packages beside the built files what runs, for one system; their licences are in THIRD-PARTY.txt. */
export const files = (platform, arch) => {
  const others = { linux: ["darwin", "win32"], darwin: ["linux", "win32"], win32: ["darwin", "linux"] }[platform];
  return [
    "package.json",
    "LICENSE",
    "out/main/**/*",
    "out/preload/**/*",
    "out/renderer/**/*",
    "out/THIRD-PARTY.txt",
    "!**/*.{map,ts,mts,cts,md,markdown,flow,gyp,cc,cpp,h,tsbuildinfo}",
    "!node_modules/*/{test,tests,docs,example,examples,script,scripts,src,deps}/**",
    "!node_modules/@photostructure/sqlite/{src,scripts,build}/**",
    "!node_modules/zeromq/{CMakeLists.txt,vcpkg.json,tsconfig.json}",
    ...others.map((other) => `!node_modules/zeromq/build/${other}/**`),
    ...others.map((other) => `!node_modules/@photostructure/sqlite/prebuilds/${other}-*/**`),
    ...["arm64", "x64", "ia32"]
      .filter((other) => other !== arch)
      .flatMap((other) => [
        `!node_modules/zeromq/build/${platform}/${other}/**`,
        `!node_modules/@photostructure/sqlite/prebuilds/${platform}-${other}*/**`,
      ]),
  ];
};

/** @param electron `{ version, dist }`: which Electron, and the folder it is copied from; without a folder electron-builder fetches it */
export function packageConfig({ platform, arch, electron, output }) {
  return {
    appId: "org.quorate.desktop",
    productName: "Quorate",
    copyright: "Apache License 2.0",
    directories: { output, buildResources: "resources/desktop" },
    electronVersion: electron.version,
    ...(electron.dist === undefined ? {} : { electronDist: electron.dist }),
    // Native parts are N-API: they load in every Node and Electron.
    npmRebuild: false,
    nodeGypRebuild: false,
    asar: true,
    asarUnpack: ["**/*.node", "**/spawn-helper"],
    files: files(platform, arch),
    icon: "resources/desktop/icon.png",
    protocols: [{ name: "Quorate lab", schemes: ["quorate"] }],
    fileAssociations: [
      { ext: "quorate", name: "Quorate lab", description: "Lab of a cluster", mimeType: "application/x-quorate", role: "Editor" },
    ],
    electronFuses: {
      // A lab's supervisor, its nodes and its consoles are Node programs that run from this binary.
      runAsNode: true,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    },
    linux: { target: ["AppImage", "deb"], category: "Development", executableName: "quorate-desktop", maintainer: "The Quorate authors" },
    mac: { target: ["dmg", "zip"], category: "public.app-category.developer-tools", hardenedRuntime: true },
    win: { target: ["nsis"] },
    publish: null,
  };
}
