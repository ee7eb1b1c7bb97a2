/// The language in which a person says what a container may connect to, and what decides by it.
///
/// A policy is read from YAML (`YAML/`), checked and typed (`Language/`) and compiled into tables
/// (`Engine/`) whose answer takes little time however many rules there are. This module makes no
/// connection of a guest and writes no log: the backend asks it and acts.
///
/// There is one lock, around the policy in force (`PolicyHolder`). It is held for a copy.
enum ConnectionPolicy {}
