// What differs between two states of a resource (arm-templates 7.4 what-if).
#include "templates/reader.h"
#include "templates/what_if_diff.h"

#include <check.h>

Suite *suite_what_if_diff(void);

static const struct value *read(struct arena *arena, const char *json)
{
    struct reader_error error;
    const struct value *value = reader_read(arena, text_of(json), NULL, &error);
    ck_assert_msg(value != NULL, "%s", json);
    return value;
}

static const struct {
    const char *before, *after, *delta;
} deltas[] = {
    {"{}", "{}", "[]"},
    {"{a:1}", "{a:1}", "[]"},
    {"{a:1}", "{a:1.0}", "[]"},
    {"{a:{b:1,c:2}}", "{a:{c:2,b:1}}", "[]"},
    {"{a:1}", "{a:2}", "[{\"path\":\"a\",\"propertyChangeType\":\"Modify\",\"before\":1,\"after\":2}]"},
    {"{a:1}", "{a:'1'}", "[{\"path\":\"a\",\"propertyChangeType\":\"Modify\",\"before\":1,\"after\":\"1\"}]"},
    {"{}", "{sku:{name:'Basic'}}",
     "[{\"path\":\"sku.name\",\"propertyChangeType\":\"Create\",\"after\":\"Basic\"}]"},
    {"{tags:{a:'1',b:'2'}}", "{tags:{a:'1',c:'3'}}",
     "[{\"path\":\"tags.b\",\"propertyChangeType\":\"Delete\",\"before\":\"2\"},"
     "{\"path\":\"tags.c\",\"propertyChangeType\":\"Create\",\"after\":\"3\"}]"},
    // Of names the case does not count, of values it does.
    {"{tags:{Team:'x'}}", "{tags:{team:'x'}}", "[]"},
    {"{tags:{Team:'x'}}", "{tags:{team:'X'}}",
     "[{\"path\":\"tags.Team\",\"propertyChangeType\":\"Modify\",\"before\":\"x\",\"after\":\"X\"}]"},
    // What is absent, null or empty is the same.
    {"{a:null,b:{},c:[]}", "{}", "[]"},
    {"{}", "{a:null,b:{},c:[],d:{e:{}}}", "[]"},
    {"{tags:{a:'1'}}", "{tags:{}}",
     "[{\"path\":\"tags.a\",\"propertyChangeType\":\"Delete\",\"before\":\"1\"}]"},
    {"{tags:{a:'1'}}", "{}", "[{\"path\":\"tags.a\",\"propertyChangeType\":\"Delete\",\"before\":\"1\"}]"},
    {"{a:''}", "{}", "[{\"path\":\"a\",\"propertyChangeType\":\"Delete\",\"before\":\"\"}]"},
    // Who it is, is no property; below the top these names are like any other.
    {"{id:'/a',name:'a',type:'t',apiVersion:'1'}", "{id:'/A',name:'A',type:'T',apiVersion:'2'}", "[]"},
    {"{p:{name:'a'}}", "{p:{name:'A'}}",
     "[{\"path\":\"p.name\",\"propertyChangeType\":\"Modify\",\"before\":\"a\",\"after\":\"A\"}]"},
    {"{tags:{'a.b':'1'}}", "{tags:{'a.b':'2'}}",
     "[{\"path\":\"tags['a.b']\",\"propertyChangeType\":\"Modify\",\"before\":\"1\",\"after\":\"2\"}]"},
    // Kinds that differ.
    {"{a:[1]}", "{a:{b:1}}",
     "[{\"path\":\"a\",\"propertyChangeType\":\"Modify\",\"before\":[1],\"after\":{\"b\":1}}]"},
    {"{a:true}", "{a:{b:1}}",
     "[{\"path\":\"a\",\"propertyChangeType\":\"Modify\",\"before\":true,\"after\":{\"b\":1}}]"},
    // Arrays, by index.
    {"{a:[1,2]}", "{a:[1,2]}", "[]"},
    {"{}", "{a:[1]}", "[{\"path\":\"a\",\"propertyChangeType\":\"Create\",\"after\":[1]}]"},
    {"{a:[]}", "{a:[1]}",
     "[{\"path\":\"a\",\"propertyChangeType\":\"Array\",\"children\":["
     "{\"path\":\"0\",\"propertyChangeType\":\"Create\",\"after\":1}]}]"},
    {"{a:[1,2,3]}", "{a:[1,5]}",
     "[{\"path\":\"a\",\"propertyChangeType\":\"Array\",\"children\":["
     "{\"path\":\"1\",\"propertyChangeType\":\"Modify\",\"before\":2,\"after\":5},"
     "{\"path\":\"2\",\"propertyChangeType\":\"Delete\",\"before\":3}]}]"},
    {"{p:{a:[{x:1,y:{z:1}}]}}", "{p:{a:[{x:1,y:{z:2}},{x:3}]}}",
     "[{\"path\":\"p.a\",\"propertyChangeType\":\"Array\",\"children\":["
     "{\"path\":\"0\",\"propertyChangeType\":\"Modify\",\"children\":["
     "{\"path\":\"y.z\",\"propertyChangeType\":\"Modify\",\"before\":1,\"after\":2}]},"
     "{\"path\":\"1\",\"propertyChangeType\":\"Create\",\"after\":{\"x\":3}}]}]"},
    {"{a:[[1],[2]]}", "{a:[[1],[3]]}",
     "[{\"path\":\"a\",\"propertyChangeType\":\"Array\",\"children\":["
     "{\"path\":\"1\",\"propertyChangeType\":\"Array\",\"children\":["
     "{\"path\":\"0\",\"propertyChangeType\":\"Modify\",\"before\":2,\"after\":3}]}]}]"},
    {"{a:[{b:1}]}", "{a:['b']}",
     "[{\"path\":\"a\",\"propertyChangeType\":\"Array\",\"children\":["
     "{\"path\":\"0\",\"propertyChangeType\":\"Modify\",\"before\":{\"b\":1},\"after\":\"b\"}]}]"},
};

START_TEST(deltas_tell_what_differs) // arm-templates 7.4
{
    struct arena *arena = arena_new();
    const struct value *delta =
        what_if_delta(arena, read(arena, deltas[_i].before), read(arena, deltas[_i].after));
    ck_assert_str_eq(value_to_json(arena, delta).base, deltas[_i].delta);
    arena_free(arena);
}
END_TEST

static const char *const read_only[] = {"properties.loginServer", "properties.policies.retention.updated",
                                        "properties.rules.stamp", NULL};

START_TEST(snapshots_are_sorted_and_without_what_nobody_sets) // arm-templates 7.4
{
    struct arena *arena = arena_new();
    const struct value *resource =
        read(arena, "{type:'T',name:'n',id:'/n',location:'local',tags:{},sku:{name:'Standard'},etag:'e',"
                    "systemData:{createdBy:'x'},properties:{provisioningState:'Succeeded',LoginServer:'l',"
                    "empty:null,b:1,a:{c:1,b:[]},policies:{retention:{days:7,updated:'u'}},"
                    "rules:[{stamp:1,x:2}]}}");
    const struct value *shown = what_if_snapshot(arena, resource, TEXT("2019-05-01"), read_only);
    ck_assert_str_eq(value_to_json(arena, shown).base,
                     "{\"apiVersion\":\"2019-05-01\",\"id\":\"/n\",\"location\":\"local\",\"name\":\"n\","
                     "\"properties\":{\"a\":{\"b\":[],\"c\":1},\"b\":1,"
                     "\"policies\":{\"retention\":{\"days\":7}},\"rules\":[{\"x\":2}]},"
                     "\"sku\":{\"name\":\"Standard\"},\"type\":\"T\"}");
    ck_assert_ptr_null(what_if_snapshot(arena, NULL, TEXT("1"), read_only));
    arena_free(arena);
}
END_TEST

START_TEST(read_only_members_of_a_body_have_no_effect) // arm-templates 7.4 NoEffect
{
    struct arena *arena = arena_new();
    const struct value *resource = read(arena, "{etag:'e',properties:{loginServer:'real'}}");
    const struct value *vain = what_if_no_effect(
        arena, read(arena, "{ETAG:'mine',properties:{loginserver:'wish',other:1}}"), resource, read_only);
    ck_assert_str_eq(
        value_to_json(arena, vain).base,
        "[{\"path\":\"etag\",\"propertyChangeType\":\"NoEffect\",\"after\":\"mine\"},"
        "{\"path\":\"properties.loginServer\",\"propertyChangeType\":\"NoEffect\",\"after\":\"wish\"}]");
    vain = what_if_no_effect(arena, read(arena, "{etag:'e',properties:{loginServer:'real'}}"), resource,
                             read_only);
    ck_assert_str_eq(value_to_json(arena, vain).base, "[]");
    ck_assert_str_eq(
        value_to_json(arena, what_if_joined(arena, read(arena, "[1]"), read(arena, "[2,3]"))).base,
        "[1,2,3]");
    arena_free(arena);
}
END_TEST

Suite *suite_what_if_diff(void)
{
    Suite *suite = suite_create("what_if_diff");
    TCase *cases = tcase_create("what_if_diff");
    tcase_add_loop_test(cases, deltas_tell_what_differs, 0, sizeof deltas / sizeof *deltas);
    tcase_add_test(cases, snapshots_are_sorted_and_without_what_nobody_sets);
    tcase_add_test(cases, read_only_members_of_a_body_have_no_effect);
    suite_add_tcase(suite, cases);
    return suite;
}
