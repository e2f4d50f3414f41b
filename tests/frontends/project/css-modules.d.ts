// A bundler's types (vite/client, next) say this.
declare module "*.module.css" {
  const classes: Record<string, string>;
  export default classes;
}
