//! A script's syntax tree, and what is asked of it.

use anyhow::{Context, Result};
use tree_sitter::{Node, Parser, Tree};

/// A script as parsed.
pub(super) struct Script<'a> {
    text: &'a str,
    tree: Tree,
}

impl<'a> Script<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_powershell::LANGUAGE.into())?;
        let tree = parser.parse(text, None).context("the parser gave up")?;
        Ok(Self { text, tree })
    }

    pub(super) fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// What is written there.
    pub(super) fn words(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// All of these kinds.
    pub(super) fn all<'t>(&'t self, kinds: &[&str]) -> Vec<Node<'t>> {
        find(self.root(), &|node| kinds.contains(&node.kind()))
    }
}

/// All nodes at and below a node that are wanted, in the order of the text.
pub(super) fn find<'t>(node: Node<'t>, wanted: &dyn Fn(Node<'_>) -> bool) -> Vec<Node<'t>> {
    let mut found = Vec::new();
    let mut left = vec![node];
    while let Some(node) = left.pop() {
        if wanted(node) {
            found.push(node);
        }
        let children = children(node);
        left.extend(children.into_iter().rev());
    }
    found
}

pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children(&mut node.walk()).collect()
}

/// The first child of a kind.
pub(super) fn child<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    children(node)
        .into_iter()
        .find(|child| child.kind() == kind)
}
