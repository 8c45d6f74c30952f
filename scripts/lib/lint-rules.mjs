// Rules of this project's own for oxlint, which takes a plugin by its default export.
const noPrivateIdentifier = {
  create: (context) => ({
    PrivateIdentifier: (node) => context.report({ node, message: "What is a class's own is `private`." }),
  }),
};

export default { meta: { name: "quorate" }, rules: { "no-private-identifier": noPrivateIdentifier } };
