//! The attribute that makes a function a seeded simulated test.
//!
//! It only rewrites; what a seeded test does is in `rehearsal-sim`, which re-exports it as `sim::test`.

use proc_macro::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, ItemFn, Token, parse_macro_input};

/// What stands in the attribute.
struct Arguments {
    seeds: Option<Expr>,
    options: Option<Expr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self { seeds: None, options: None };
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let value: Expr = input.parse()?;
            let place = match name.to_string().as_str() {
                "seeds" => &mut arguments.seeds,
                "options" => &mut arguments.options,
                _ => return Err(syn::Error::new(name.span(), "expected `seeds` or `options`")),
            };
            if place.replace(value).is_some() {
                return Err(syn::Error::new(name.span(), "given twice"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

/// Makes an `async fn(World)` an ordinary test that runs in a world, once per seed.
///
/// - `seeds = 0..20`: the seeds of every run. Default: `0..10`.
/// - `options = expression`: an `Options` made anew for each seed, which replaces its seed. Default: the defaults.
///
/// Environment: `REHEARSAL_SEED=7` runs that seed alone; `REHEARSAL_SEEDS=1000` runs the fixed seeds and so many from
/// `REHEARSAL_SEED` (default 0) on, those that are fixed already once; `REHEARSAL_TRACE=debug` prints the trace. A failing
/// test prints the line that replays it.
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(attribute as Arguments);
    let function = parse_macro_input!(item as ItemFn);
    expand(&arguments, &function).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(arguments: &Arguments, function: &ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let signature = &function.sig;
    if signature.asyncness.is_none() || signature.inputs.len() != 1 {
        let text = "a simulated test is an `async fn` that takes the `World`";
        return Err(syn::Error::new_spanned(signature, text));
    }
    let seeds = arguments.seeds.as_ref().map_or_else(|| quote!(0..10), |seeds| quote!(#seeds));
    let options = arguments.options.as_ref();
    let options = options.map_or_else(|| quote!(::sim::Options::default()), |options| quote!(#options));
    let (name, attributes, visibility) = (&signature.ident, &function.attrs, &function.vis);
    let (inputs, output, block) = (&signature.inputs, &signature.output, &function.block);
    Ok(quote! {
        #[test]
        #(#attributes)*
        #visibility fn #name() {
            async fn script(#inputs) #output #block
            let test = ::sim::Seeded {
                package: env!("CARGO_PKG_NAME"),
                module: module_path!(),
                name: stringify!(#name),
            };
            test.run(#seeds, || #options, script);
        }
    })
}
